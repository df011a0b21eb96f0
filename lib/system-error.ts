import { getSystemErrorMap } from 'node:util';

/** Why a call of the operating system failed, for people: `no such file or directory`. */
export function systemErrorText(error: unknown): string {
  const { errno, message } = error as NodeJS.ErrnoException;
  return (errno === undefined ? undefined : getSystemErrorMap().get(errno)?.[1]) ?? message;
}
