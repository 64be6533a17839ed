/** What reading a text gave, or what is wrong with it and how many characters into it. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | {
      readonly ok: false;
      readonly problem: string;
      readonly offset: number;
      /** What was probably meant. */
      readonly suggestion?: string;
    };
