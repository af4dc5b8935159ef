export type Color = "w" | "b";
export type PieceSymbol = "p" | "n" | "b" | "r" | "q" | "k";

export interface Move {
  color: Color;
  from: string;
  to: string;
  piece: PieceSymbol;
  captured?: PieceSymbol;
  promotion?: PieceSymbol;
  san: string;
  lan: string;
  before: string;
  after: string;
  isKingsideCastle(): boolean;
  isQueensideCastle(): boolean;
}

export class Chess {
  constructor(fen?: string);
  fen(): string;
  turn(): Color;
  inCheck(): boolean;
  isCheckmate(): boolean;
  isStalemate(): boolean;
  isInsufficientMaterial(): boolean;
  findPiece(piece: { color: Color; type: PieceSymbol }): string[];
  moves(options: { verbose: true; square?: string }): Move[];
  /** @throws if the move is not legal */
  move(move: { from: string; to: string; promotion?: string } | string): Move;
  undo(): Move | null;
}
