/** True for a name that would lead out of a folder: absolute, a drive, `..`, a backslash, a control character. */
export function hasUnsafeName(name: string): boolean {
  const leadsOut = name.startsWith("/") || /^[a-z]:/i.test(name) || name.split("/").includes("..");
  // oxlint-disable-next-line no-control-regex -- names with control characters are what is looked for
  return leadsOut || /[\\\u0000-\u001f\u007f]/.test(name);
}
