/** How a shortfall's text begins where no memory can be handed out at all. */
export const NOTHING = 'nothing can be handed out';
