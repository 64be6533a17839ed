/** A profile that cannot be used at all. */
export class ProfileError extends Error {
  /** `NotJson`: not a JSON object. `WrongVersion`: of another version. `NoMachine`: its machine is malformed. */
  readonly code: 'NotJson' | 'WrongVersion' | 'NoMachine';
  override readonly name = 'ProfileError';

  constructor(code: ProfileError['code'], message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
