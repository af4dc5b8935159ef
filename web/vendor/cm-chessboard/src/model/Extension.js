export const EXTENSION_POINT = {
    positionChanged: "positionChanged",
    boardChanged: "boardChanged",
    moveInputToggled: "moveInputToggled",
    moveInput: "moveInput",
    beforeRedrawBoard: "beforeRedrawBoard",
    afterRedrawBoard: "afterRedrawBoard",
    redrawBoard: "redrawBoard",
    animation: "animation",
    destroy: "destroy"
};
export class Extension {
    constructor(chessboard) {
        this.chessboard = chessboard;
    }
    registerExtensionPoint(name, callback) {
        if (name === EXTENSION_POINT.redrawBoard) {
            console.warn("EXTENSION_POINT.redrawBoard is deprecated, use EXTENSION_POINT.afterRedrawBoard");
            name = EXTENSION_POINT.afterRedrawBoard;
        }
        if (!this.chessboard.state.extensionPoints[name]) {
            this.chessboard.state.extensionPoints[name] = [];
        }
        this.chessboard.state.extensionPoints[name].push(callback);
    }
    registerMethod(name, callback) {
        console.warn("registerMethod is deprecated, just add methods directly to the chessboard instance");
        if (!this.chessboard[name]) {
            this.chessboard[name] = (...args) => {
                return callback.apply(this, args);
            };
        }
        else {
            log.error("method", name, "already exists");
        }
    }
}
