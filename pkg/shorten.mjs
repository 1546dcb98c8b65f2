// Gives the wasm module's imports short names, in the module and in its glue alike.
//
// wasm-bindgen names each import after what it is and a hash: 45 names of some 40 characters, half of
// them random and therefore incompressible, twice. Nobody reads them after the build.

/** Reads an unsigned LEB128 number: [value, position behind it]. */
function readNumber(bytes, at) {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++];
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return [value >>> 0, at];
  }
}

function writeNumber(value) {
  const bytes = [];
  do {
    const rest = value >>> 7;
    bytes.push((value & 0x7f) | (rest ? 0x80 : 0));
    value = rest;
  } while (value);
  return bytes;
}

/** The position behind what an import imports: a function, table, memory, global or tag. */
function skipDescription(bytes, at) {
  const kind = bytes[at++];
  const limits = (from) => {
    const hasMaximum = bytes[from] & 1;
    let [, next] = readNumber(bytes, from + 1);
    if (hasMaximum) [, next] = readNumber(bytes, next);
    return next;
  };
  switch (kind) {
    case 0: return readNumber(bytes, at)[1];
    case 1: return limits(at + 1);
    case 2: return limits(at);
    case 3: return at + 2;
    case 4: return readNumber(bytes, at + 1)[1];
    default: throw new Error(`import of unknown kind ${kind}`);
  }
}

const IMPORTS = 2;

/**
 * Shortens the names of imported functions.
 *
 * @param {Uint8Array} module the optimised module
 * @param {string} glue the JavaScript that wasm-bindgen made for it
 * @returns {{module: Uint8Array, glue: string}} the same with short names
 */
export function shortenImports(module, glue) {
  const text = new TextDecoder();
  const out = [module.subarray(0, 8)];
  for (let at = 8; at < module.length; ) {
    const id = module[at];
    const [length, body] = readNumber(module, at + 1);
    const end = body + length;
    if (id !== IMPORTS) {
      out.push(module.subarray(at, end));
      at = end;
      continue;
    }
    let [count, position] = readNumber(module, body);
    const imports = [...writeNumber(count)];
    for (let i = 0; i < count; i++) {
      let [size, name] = readNumber(module, position);
      imports.push(...module.subarray(position, name + size));
      [size, name] = readNumber(module, name + size);
      const long = text.decode(module.subarray(name, name + size));
      const description = skipDescription(module, name + size);
      const short = `_${i.toString(36)}`;
      const uses = glue.split(long).length - 1;
      if (uses !== 1) throw new Error(`the glue names ${long} ${uses} times instead of once`);
      glue = glue.replace(long, short);
      imports.push(short.length, ...new TextEncoder().encode(short));
      imports.push(...module.subarray(name + size, description));
      position = description;
    }
    out.push(Uint8Array.from([IMPORTS, ...writeNumber(imports.length), ...imports]));
    at = end;
  }
  return { module: Buffer.concat(out), glue };
}
