import { ChessboardState } from "./model/ChessboardState.js";
import { FEN, Position } from "./model/Position.js";
import { PositionAnimationsQueue } from "./view/PositionAnimationsQueue.js";
import { EXTENSION_POINT } from "./model/Extension.js";
import { ChessboardView, COLOR, INPUT_EVENT_TYPE, BORDER_TYPE, POINTER_EVENTS } from "./view/ChessboardView.js";
import { Utils } from "./lib/Utils.js";
export const PIECE = {
    wp: "wp", wb: "wb", wn: "wn", wr: "wr", wq: "wq", wk: "wk",
    bp: "bp", bb: "bb", bn: "bn", br: "br", bq: "bq", bk: "bk"
};
export const PIECE_TYPE = {
    pawn: "p", knight: "n", bishop: "b", rook: "r", queen: "q", king: "k"
};
export const PIECES_FILE_TYPE = {
    svgSprite: "svgSprite"
};
export { COLOR };
export { INPUT_EVENT_TYPE };
export { POINTER_EVENTS };
export { BORDER_TYPE };
export { FEN };
export class Chessboard {
    constructor(context, props = {}) {
        if (!context) {
            throw new Error("container element is " + context);
        }
        this.context = context;
        this.id = (Math.random() + 1).toString(36).substring(2, 8);
        this.extensions = [];
        this.props = {
            position: FEN.empty,
            orientation: COLOR.white,
            responsive: true,
            assetsUrl: "./assets/",
            assetsCache: true,
            style: {
                cssClass: "default",
                showCoordinates: true,
                borderType: BORDER_TYPE.none,
                aspectRatio: 1,
                pieces: {
                    type: PIECES_FILE_TYPE.svgSprite,
                    file: "pieces/standard.svg",
                    tileSize: 40
                },
                animationDuration: 300
            },
            extensions: []
        };
        Utils.mergeObjects(this.props, props);
        this.state = new ChessboardState();
        this.view = new ChessboardView(this);
        this.positionAnimationsQueue = new PositionAnimationsQueue(this);
        this.state.orientation = this.props.orientation;
        for (const extensionData of this.props.extensions) {
            this.addExtension(extensionData.class, extensionData.props);
        }
        this.view.redrawBoard();
        this.state.position = new Position(this.props.position);
        this.view.redrawPieces();
        this.state.invokeExtensionPoints(EXTENSION_POINT.positionChanged);
        this.initialized = Promise.resolve();
    }
    async setPiece(square, piece, animated = false) {
        const positionFrom = this.state.position.clone();
        this.state.position.setPiece(square, piece);
        this.view.visualMoveInput.positionChanged();
        this.state.invokeExtensionPoints(EXTENSION_POINT.positionChanged);
        return this.positionAnimationsQueue.enqueuePositionChange(positionFrom, this.state.position.clone(), animated);
    }
    async movePiece(squareFrom, squareTo, animated = false) {
        const positionFrom = this.state.position.clone();
        this.state.position.movePiece(squareFrom, squareTo);
        this.view.visualMoveInput.positionChanged();
        this.state.invokeExtensionPoints(EXTENSION_POINT.positionChanged);
        return this.positionAnimationsQueue.enqueuePositionChange(positionFrom, this.state.position.clone(), animated);
    }
    async setPosition(fen, animated = false) {
        const positionFrom = this.state.position.clone();
        const positionTo = new Position(fen);
        if (positionFrom.getFen() !== positionTo.getFen()) {
            this.state.position.setFen(fen);
            this.view.visualMoveInput.positionChanged();
            this.state.invokeExtensionPoints(EXTENSION_POINT.positionChanged);
        }
        return this.positionAnimationsQueue.enqueuePositionChange(positionFrom, this.state.position.clone(), animated);
    }
    async setOrientation(color, animated = false) {
        const position = this.state.position.clone();
        if (this.boardTurning) {
            console.warn("setOrientation is only once in queue allowed");
            return;
        }
        this.boardTurning = true;
        return this.positionAnimationsQueue.enqueueTurnBoard(position, color, animated).then(() => {
            this.boardTurning = false;
            this.state.invokeExtensionPoints(EXTENSION_POINT.boardChanged);
        });
    }
    getPiece(square) {
        return this.state.position.getPiece(square);
    }
    getPosition() {
        return this.state.position.getFen();
    }
    getOrientation() {
        return this.state.orientation;
    }
    enableMoveInput(eventHandler, color = undefined) {
        this.view.enableMoveInput(eventHandler, color);
    }
    disableMoveInput() {
        this.view.disableMoveInput();
    }
    cancelMoveInput() {
        this.view.visualMoveInput.cancelMoveInput();
    }
    isMoveInputEnabled() {
        return this.state.inputWhiteEnabled || this.state.inputBlackEnabled;
    }
    enableSquareSelect(eventType = POINTER_EVENTS.pointerdown, eventHandler) {
        if (!this.squareSelectListener) {
            this.squareSelectListener = function (e) {
                const square = e.target.getAttribute("data-square");
                eventHandler({
                    eventType: e.type,
                    event: e,
                    chessboard: this,
                    square: square
                });
            };
        }
        this.context.addEventListener(eventType, this.squareSelectListener);
        this.state.squareSelectEnabled = true;
        this.view.visualizeInputState();
    }
    disableSquareSelect(eventType) {
        this.context.removeEventListener(eventType, this.squareSelectListener);
        this.squareSelectListener = undefined;
        this.state.squareSelectEnabled = false;
        this.view.visualizeInputState();
    }
    isSquareSelectEnabled() {
        return this.state.squareSelectEnabled;
    }
    addExtension(extensionClass, props) {
        if (this.getExtension(extensionClass)) {
            throw Error("extension \"" + extensionClass.name + "\" already added");
        }
        this.extensions.push(new extensionClass(this, props));
    }
    getExtension(extensionClass) {
        for (const extension of this.extensions) {
            if (extension instanceof extensionClass) {
                return extension;
            }
        }
        return null;
    }
    destroy() {
        this.state.invokeExtensionPoints(EXTENSION_POINT.destroy);
        this.positionAnimationsQueue.destroy();
        this.view.destroy();
        this.view = undefined;
        this.state = undefined;
    }
}
