const SECRET_HEADER = /authorization|cookie|secret|token|key|password|signature/i;

/** Headers as operators may see them: the values of those that may hold a secret are replaced. */
export function maskedHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      SECRET_HEADER.test(name) ? "********" : value,
    ]),
  );
}
