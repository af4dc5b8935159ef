export type Color = "w" | "b";

export const COLOR: { white: "w"; black: "b" };
export const BORDER_TYPE: { none: "none"; thin: "thin"; frame: "frame" };
export const INPUT_EVENT_TYPE: {
  moveInputStarted: "moveInputStarted";
  movingOverSquare: "movingOverSquare";
  validateMoveInput: "validateMoveInput";
  moveInputCanceled: "moveInputCanceled";
  moveInputFinished: "moveInputFinished";
};

export interface MoveInputEvent {
  type: (typeof INPUT_EVENT_TYPE)[keyof typeof INPUT_EVENT_TYPE];
  squareFrom: string;
  squareTo?: string | null;
  piece?: string | null;
}

export interface MarkerType {
  class: string;
  slice: string;
  position?: "above";
}

export interface PromotionResult {
  type: "pieceSelected" | "canceled";
  square?: string;
  piece?: string;
}

export interface ChessboardProps {
  position?: string;
  orientation?: Color;
  assetsUrl?: string;
  style?: {
    cssClass?: string;
    borderType?: string;
    showCoordinates?: boolean;
    animationDuration?: number;
    pieces?: { file?: string; tileSize?: number };
  };
  extensions?: { class: unknown; props?: Record<string, unknown> }[];
}

export class Chessboard {
  constructor(context: HTMLElement, props?: ChessboardProps);
  setPosition(fen: string, animated?: boolean): Promise<void>;
  setOrientation(color: Color, animated?: boolean): Promise<void>;
  getOrientation(): Color;
  getPosition(): string;
  getPiece(square: string): string | null;
  enableMoveInput(handler: (event: MoveInputEvent) => boolean | void, color?: Color): void;
  disableMoveInput(): void;
  isMoveInputEnabled(): boolean;
  cancelMoveInput(): void;
  destroy(): void;
  // added by the Markers extension
  addMarker(type: MarkerType, square: string): void;
  removeMarkers(type?: MarkerType, square?: string): void;
  // added by the PromotionDialog extension
  showPromotionDialog(
    square: string,
    color: Color,
    callback: (result: PromotionResult) => void,
  ): void;
  isPromotionDialogShown(): boolean;
}
