/**
 * Makes the page work offline after the first visit: everything it consists of lies in one cache, named
 * after its content, and is answered from there. A new build is a new worker with a new cache; it takes
 * over when every file has arrived, and the page uses it from its next load on.
 */
declare const self: ServiceWorkerGlobalScope;

/** Digest of the files, set by the build. */
declare const VERSION: string;
/** Addresses of the files relative to this script, set by the build. */
declare const FILES: readonly string[];

const PREFIX = "nearfield-demo-";
const CACHE = PREFIX + VERSION;

self.addEventListener("install", (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(CACHE);
      // Past the HTTP cache, which may hold files of another build.
      await cache.addAll(FILES.map((file) => new Request(file, { cache: "reload" })));
      await self.skipWaiting();
    })(),
  );
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      const old = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== CACHE);
      await Promise.all(old.map((name) => caches.delete(name)));
      await self.clients.claim();
    })(),
  );
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || new URL(request.url).origin !== self.location.origin) return;
  event.respondWith(
    (async () => {
      const cache = await caches.open(CACHE);
      const wanted = request.mode === "navigate" ? "./" : request;
      return (await cache.match(wanted, { ignoreSearch: true })) ?? fetch(request);
    })(),
  );
});

export {};
