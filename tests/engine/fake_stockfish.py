"""A UCI engine for tests: every legal move, captures first, scored 100, 90, 80, .. centipawns."""

import sys

import chess

board = chess.Board()
lines = 1
for line in sys.stdin:
    words = line.split()
    if words[0] == "setoption" and words[2] == "MultiPV":
        lines = int(words[4])
    elif words[0] == "uci":
        print("id name Fakefish 1", flush=True)
    elif words[0] == "quit":
        break
    elif words[0] == "isready":
        print("readyok", flush=True)
    elif words[0] == "position":
        fen, _, played = line.removeprefix("position fen ").partition(" moves")
        board = chess.Board(fen.strip())
        for uci in played.split():
            board.push_uci(uci)
    elif words[0] == "go":
        moves = sorted(board.legal_moves, key=lambda move: (not board.is_capture(move), move.uci()))
        for rank, move in enumerate(moves[:lines]):
            board.push(move)
            score = "mate 1" if board.is_checkmate() else f"cp {100 - 10 * rank}"
            board.pop()
            print(f"info depth 1 multipv {rank + 1} score {score} nodes 9 pv {move.uci()} 0000")
        print(f"bestmove {moves[0].uci() if moves else '(none)'}", flush=True)
