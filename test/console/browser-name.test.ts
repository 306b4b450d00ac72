import { expect, it } from "vitest";
import { browserName } from "../../src/console/session/browser-name";

const APPLE = "AppleWebKit/605.1.15 (KHTML, like Gecko)";

it.each([
  ["", "unknown"],
  ["curl/8.7.1", "curl/8.7.1"],
  [
    "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Firefox 140 on Windows",
  ],
  ["Mozilla/5.0 (X11; Linux x86_64) Chrome/153.0.8010.0 Safari/537.36", "Chrome 153 on Linux"],
  [
    "Mozilla/5.0 (Linux; Android 15) Chrome/153.0.0.0 Mobile Safari/537.36",
    "Chrome 153 on Android",
  ],
  [
    "Mozilla/5.0 (Windows NT 10.0) Chrome/153.0.0.0 Safari/537.36 Edg/153.0.1",
    "Edge 153 on Windows",
  ],
  [
    `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${APPLE} Version/19.1 Safari/605.1.15`,
    "Safari 19 on macOS",
  ],
  [
    `Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) ${APPLE} Version/19.1 Mobile/15E148`,
    "Safari 19 on iPhone",
  ],
])("calls %j %s", (userAgent, name) => expect(browserName(userAgent)).toBe(name));
