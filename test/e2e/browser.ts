import sparticuz from "@sparticuz/chromium";

/** Unpacks the browser before any file asks for it: two that unpack it at once get half of it each. */
export const setup = async (): Promise<void> => {
  await sparticuz.executablePath();
};
