/** How TypeScript becomes JavaScript where types are not checked: for `npm start` and for Jest. */
export const swcOptions = {
  module: { type: 'es6' },
  jsc: {
    target: 'es2023',
    keepClassNames: true,
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true },
  },
};
