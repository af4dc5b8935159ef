export class PromotionDialog {}
