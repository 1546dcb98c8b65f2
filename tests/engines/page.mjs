/** What browsers.mjs calls in a page: the work on bare modules, and the package as an application has it. */
import { open } from "../../pkg/dist/index.js";
import { instantiateGlue } from "../../pkg/wasm/glue.js";
import { digestOfSlates } from "../../pkg/test/support/slates.mjs";
import { answers, CASES, work } from "./work.mjs";

const SMALL = "../fixtures/small-v1.nf";
const problems = [];
const note = (what) => problems.push(what);
addEventListener("error", ({ message }) => note(message));
addEventListener("unhandledrejection", ({ reason }) => note(`not handled: ${reason}`));
addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
  note(`against the policy ${violatedDirective}: ${blockedURI}`),
);

async function bytesOf(address) {
  const response = await fetch(new URL(address, import.meta.url));
  if (!response.ok) throw new Error(`${address}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

const read = (archive) => bytesOf(`../fixtures/${archive}.nf`);
const compile = async (file) => WebAssembly.compile(await bytesOf(`../../pkg/wasm/${file}`));

/** What a promise comes to, or the error by what callers tell errors apart by. */
const fate = (promise) =>
  promise.then(
    (value) => ({ value }),
    ({ name, code, details }) => ({ name, code, feature: details?.feature }),
  );

/** The profile of the tests, in storage. */
let person;
const slate = () => person.recommend({ k: 20, explain: 2, now: 0 });

const offers = {
  problems: async () => problems,

  /** Whether a module of `length` bytes came, and what compiling it comes to. */
  async load(file) {
    const bytes = await bytesOf(`../../pkg/wasm/${file}`);
    const { name } = await fate(WebAssembly.compile(bytes));
    return { length: bytes.length, valid: WebAssembly.validate(bytes), refused: name };
  },

  work: async (file) => work(instantiateGlue, await compile(file), read),

  /** The answers of one case of the work, to find the first that differs. */
  async answers(file, name) {
    const asked = CASES.find((one) => one.name === name);
    return answers(asked, instantiateGlue, await compile(file), await read(asked.archive));
  },

  /** Which module the package runs for this option, or how it refuses. */
  async kind(option) {
    const opened = open(new URL(SMALL, import.meta.url), { profile: false, engine: option });
    return fate(
      opened.then((nf) => {
        nf.dispose();
        return nf.engine;
      }),
    );
  },

  /** Made-up use of the film archive through the package. */
  async slates(option) {
    const nf = await open("/films.nf", { profile: false, engine: option });
    const result = { kind: nf.engine, ...(await digestOfSlates(nf)) };
    nf.dispose();
    return result;
  },

  /** Opens the package with the profile that storage has. */
  async person() {
    person = await open(new URL(SMALL, import.meta.url));
    return { storage: person.profile.storage, entries: person.profile.entries() };
  },

  /** Records, and waits until it is kept. */
  async record(items) {
    await Promise.all(items.map((item, i) => person.profile.record({ item, kind: "like", at: i }).durable));
    return { entries: person.profile.entries(), names: await person.profile.names() };
  },

  slate: async () => ({ slate: slate(), similar: person.similar(slate().items[0].id, { k: 5 }) }),
};

/** Calls one of them. As text, because the protocols of browsers differ in what becomes of `undefined`. */
globalThis.answerTo = async (text) => {
  const [name, ...args] = JSON.parse(text);
  return JSON.stringify(await offers[name](...args));
};
