export class Accessibility {}
