/** Line icons on a 24 by 24 grid, drawn as paths; they take the colour of the text around them. */
const PATHS = {
  like: "M12 20s-7.5-4.6-7.5-10.2A4.3 4.3 0 0 1 12 7.2a4.3 4.3 0 0 1 7.5 2.6C19.500 15.400 12 20 12 20z",
  dislike:
    "M7 4h9.200a2 2 0 0 1 2 1.600l1.200 6.500a2 2 0 0 1-2 2.400H13l.8 3.900a1.700 1.700 0 0 1-3.200 1.100L7 13.500zM7 4H4.500v9.500H7",
  aside: "M12 4.500c-4.500 0-7.700 3.400-9.200 7.500 1.500 4.100 4.700 7.500 9.200 7.500s7.700-3.400 9.200-7.500c-1.500-4.100-4.700-7.500-9.200-7.500zM5 20 19 4",
  more: "M12 12m-2.200 0a2.200 2.200 0 1 0 4.400 0a2.200 2.200 0 1 0-4.400 0M7.300 16.700a6.600 6.600 0 0 1 0-9.400M16.700 7.300a6.600 6.600 0 0 1 0 9.400M4.500 19.500a10.600 10.600 0 0 1 0-15M19.500 4.500a10.600 10.600 0 0 1 0 15",
  undo: "M8.500 5 4.500 9l4 4M5 9h8.500a5.500 5.500 0 0 1 0 11H9",
  close: "M6 6l12 12M18 6 6 18",
} as const;

/** The name of an icon. */
export type IconName = keyof typeof PATHS;

const SVG = "http://www.w3.org/2000/svg";

/** An icon for decoration: hidden from assistive technology, so its button needs a label. */
export function icon(name: IconName): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}
