/**
 * An e-mail address as it is compared: whoever writes `Ada@Acme.example ` means `ada@acme.example`. In SQL that is
 * `lower(trim(email))`, which knows no capital letters but A to Z: addresses with others are compared as they stand.
 */
export const foldEmail = (email: string): string => email.trim().normalize("NFC").toLowerCase();

/** What somebody signs in with on the app surface; a user name that is no e-mail address stays as it is. */
export const foldLogin = (login: string): string =>
  login.includes("@") ? foldEmail(login) : login;
