import { withoutTrailing } from "../values/text";

/** Letters that are no letter of ASCII with a mark, and how people write them without them. */
const LATIN = pairs("ß ss æ ae œ oe ø o đ d ð d þ th ł l ħ h ı i ŋ ng ĸ k ŧ t ə e");
const GREEK = pairs(
  "α a β v γ g δ d ε e ζ z η i θ th ι i κ k λ l μ m ν n ξ x ο o π p ρ r σ s ς s τ t υ y φ f χ ch ψ ps ω o",
);
const CYRILLIC = pairs(
  "а a б b в v г g д d е e ж zh з z и i к k л l м m н n о o п p р r с s т t у u ф f х kh ц ts ч ch ш sh щ shch ъ _ ы y ь _ э e ю yu я ya і i є ye ґ g ђ dj ј j љ lj њ nj ћ c џ dz ѓ g ќ k ѕ dz",
);
const LETTERS = new Map([...LATIN, ...GREEK, ...CYRILLIC]);

/** `ß ss æ ae` → ß: ss, æ: ae; `_` stands for nothing. */
function pairs(text: string): [string, string][] {
  const words = text.split(" ");
  return words.flatMap((letter, at): [string, string][] =>
    at % 2 === 0 ? [[letter, (words[at + 1] ?? "").replace("_", "")]] : [],
  );
}

/**
 * A name from a title: `Webhook.site listener` → `webhook-site-listener`, `Größe` → `grosse`. Latin letters lose their
 * marks; Greek and Cyrillic ones are written in Latin. Undefined when nothing is left.
 */
export function slugOf(title: string | undefined): string | undefined {
  const slug = (title ?? "")
    .normalize("NFKD")
    .toLowerCase()
    .replaceAll(/\p{M}/gu, "")
    .replaceAll(/[^\0-\x7f]/gu, (letter) => LETTERS.get(letter) ?? letter)
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "")
    .join("-");
  return slug === "" ? undefined : withoutTrailing(slug.slice(0, 200), "-");
}
