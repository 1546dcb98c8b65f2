/**
 * What every headless Chromium of the tests is started with, here and in the repository's tests/: nothing
 * of the browser's own may reach the network or disturb a test.
 */
export const CHROMIUM_ARGUMENTS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
