/** Addresses of the API and of pages, and the one way to ask for JSON. */

const of = (id) => `/api/tracks/${encodeURIComponent(id)}`;

export const audioUrl = (id) => `${of(id)}/audio`;
export const pageUrl = (id) => `/tracks/${encodeURIComponent(id)}`;
export const coverUrl = (id) => `${pageUrl(id)}/cover`;

/**
 * What a radio plays next.
 * @param {string} seed
 * @param {string[]} recent  ids it has played, the latest last
 * @returns {Promise<import("./queue.js").Track[]>}
 * @throws {Error} with the server's own sentence
 */
export async function radioTracks(seed, recent, limit) {
  const query = new URLSearchParams({ limit, recent: recent.join(",") });
  const response = await fetch(`${of(seed)}/radio?${query}`).catch(() => {
    throw new Error("soundalike cannot be reached.");
  });
  const body = await response.json();
  if (!response.ok) throw new Error(body.message);
  return body.neighbours.map((neighbour) => neighbour.track);
}
