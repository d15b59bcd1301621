/** A greeting for `name`. */
export const greeting = (name) => `Hello, ${name}!`;
