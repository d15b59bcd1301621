// How somebody likes to see logs, kept in the browser where it allows that.

export function kept(name) {
  try {
    return localStorage.getItem(`skerry.log.${name}`);
  } catch {
    return null;
  }
}

export function keep(name, value) {
  try {
    localStorage.setItem(`skerry.log.${name}`, value);
  } catch {
    // Then it holds for this page.
  }
}
