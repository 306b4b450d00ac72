import { getPath } from "hono/utils/url";

/** `//apis` is `/apis`: clients put their paths behind a base URL that ends with a slash. */
export const routedPath = (request: Request): string => getPath(request).replace(/^\/{2,}/, "/");
