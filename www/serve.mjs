/**
 * A static file server for the demo page, for this machine only.
 *
 *   node serve.mjs [FOLDER]     serves www/dist unless another folder is named
 *
 * `PORT` chooses the port (default 8080, or any free one when that is taken).
 */
import { createReadStream } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Types of what is served here. A wasm or module script with a wrong type is refused by browsers, so an
 * unknown ending gets a type that nothing executes.
 */
const TYPES = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".map": "application/json; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json; charset=utf-8",
};

/**
 * What pages served here may do: run this origin's scripts and wasm, and load from this origin only.
 * `frame-ancestors` works in a header alone; the rest repeats what the page says of itself.
 */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/**
 * Serves a folder on this machine.
 *
 * @param root - The folder. Nothing outside it is served, by whatever path or link.
 * @param options - `port`: 0, the default, means any free one. `files`: further files by URL path, such
 *   as `{"/films.nf": "/tmp/other.nf"}`, which win over the folder. `headers`: added to every answer; a
 *   value of `undefined` removes one.
 * @returns `address`, ending with a slash, and `close()`.
 */
export async function serve(root, { port = 0, files = {}, headers = {} } = {}) {
  const base = await realpath(root);
  const server = createServer((request, response) => {
    answer(base, files, headers, request, response).catch(() => {
      if (response.headersSent) response.destroy();
      else plain(response, 500, "cannot be read");
    });
  });
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return {
    address: `http://localhost:${server.address().port}/`,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answer(base, files, headers, request, response) {
  if (request.method !== "GET" && request.method !== "HEAD") {
    return plain(response, 405, "GET and HEAD only", { allow: "GET, HEAD" });
  }
  const path = pathOf(request.url);
  if (path === undefined) return plain(response, 400, "not a path");
  const file = Object.hasOwn(files, path) ? files[path] : await locate(base, path);
  const found = file === undefined ? undefined : await stat(file).catch(() => undefined);
  if (!found?.isFile()) return plain(response, 404, "no such file");
  response.writeHead(200, {
    ...defined({
      "content-type": TYPES[extname(file)] ?? "application/octet-stream",
      "content-length": found.size,
      // Asked again every time: this is a workbench, and the service worker does the caching.
      "cache-control": "no-cache",
      "content-security-policy": CONTENT_SECURITY_POLICY,
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      ...headers,
    }),
  });
  if (request.method === "HEAD") return response.end();
  createReadStream(file).on("error", () => response.destroy()).pipe(response);
}

/** The decoded path of a request, or `undefined` when it is none. */
function pathOf(url) {
  try {
    const path = decodeURIComponent(url.replace(/[?#].*$/s, ""));
    return path.startsWith("/") && !/[\0\\]/.test(path) ? path : undefined;
  } catch {
    return undefined;
  }
}

/** The real file for a path, or `undefined` when it is missing or lies outside the folder. */
async function locate(base, path) {
  const wanted = join(base, path.endsWith("/") ? `${path}index.html` : path);
  const real = await realpath(wanted).catch(() => undefined);
  return real?.startsWith(base + sep) ? real : undefined;
}

function plain(response, status, text, headers = {}) {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8", ...headers });
  response.end(`${text}\n`);
}

function defined(headers) {
  return Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = process.argv[2] ?? fileURLToPath(new URL("dist", import.meta.url));
  const wanted = Number(process.env.PORT ?? 8080);
  const { address } = await serve(root, { port: wanted })
    .catch((error) => {
      if (error.code !== "EADDRINUSE" || process.env.PORT !== undefined) throw error;
      return serve(root);
    })
    .catch((error) => {
      console.error(
        error.code === "ENOENT" ? `no ${root}: build the page first (node build.mjs)` : error.message,
      );
      process.exit(1);
    });
  console.log(`nearfield demo: ${address} (ctrl-c ends it)`);
}
