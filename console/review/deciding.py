"""A file of decisions out of what was chosen: the script's half that knows no browser.

What it makes is read by `enclave.review.decisions`, strictly; the tests run it and give the outcome there.
"""

from __future__ import annotations

DECIDING = r"""
const WHOLE = 10000;

const round = (edge) => Math.min(WHOLE, Math.max(0, Math.round(edge)));

// A box with whole edges, the right way round; null where nothing is left of it.
function asBox(left, top, right, bottom) {
  const across = [round(left), round(right)].sort((a, b) => a - b);
  const down = [round(top), round(bottom)].sort((a, b) => a - b);
  if (across[0] === across[1] || down[0] === down[1]) return null;
  return [across[0], down[0], across[1], down[1]];
}

// Seconds as a person writes them, in milliseconds; null where it is no time.
function asMilliseconds(text) {
  const seconds = Number(String(text).trim().replace(",", "."));
  if (String(text).trim() === "" || !Number.isFinite(seconds) || seconds < 0 || seconds > 86400) return null;
  return Math.round(seconds * 1000);
}

// Where a drawn box is at a time: still before its first key and after its last, even between two.
function boxAt(keys, at) {
  if (at <= keys[0].at_ms) return keys[0].box;
  for (let i = 1; i < keys.length; i++) {
    const [one, two] = [keys[i - 1], keys[i]];
    if (at <= two.at_ms) {
      const share = (at - one.at_ms) / (two.at_ms - one.at_ms);
      return one.box.map((edge, n) => edge + (two.box[n] - edge) * share);
    }
  }
  return keys[keys.length - 1].box;
}

// The keys of a box with one more, in the order of their times; the same moment twice is the later word.
function withKey(keys, key) {
  const others = keys.filter((each) => each.at_ms !== key.at_ms);
  return [...others, key].sort((one, two) => one.at_ms - two.at_ms);
}

// choices: [track, "keep" or "role:teacher", null or a stretch] for each track that was decided about.
// voices: [speaker, "effect:bleep" or "role:teacher"] for each speaker.
function asDecisions(recordSha256, choices, stretches, drawings, voices, muted) {
  const decisions = choices.map(([track, choice, stretch]) => {
    const [word, name] = choice.split(":");
    if (word === "keep" && stretch) return { do: word, ...stretch, track };
    return name === undefined ? { do: word, track } : { do: word, [word]: name, track };
  });
  for (const [speaker, choice] of voices) {
    const [word, name] = choice.split(":");
    decisions.push({ do: word, [word]: name, speaker });
  }
  for (const { effect, from_ms, to_ms } of muted) decisions.push({ do: "mute", effect, from_ms, to_ms });
  for (const { from_ms, to_ms } of stretches) decisions.push({ do: "whole_frame", from_ms, to_ms });
  for (const { from_ms, to_ms, keys } of drawings) decisions.push({ do: "draw", from_ms, keys, to_ms });
  return { decisions, format: "bauta.decisions/v1", record_sha256: recordSha256 };
}
"""
