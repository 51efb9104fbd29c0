// A pixel is the 32-bit integer whose bytes in memory are R, G, B, 255: what a canvas takes, without a conversion. (All
// platforms that browsers run on are little-endian; decoder.ts refuses others.)

/** The black pixel, and the bits that every pixel has. */
export const BLACK = 0xff000000 | 0;
