/** Short sounds, made here: a knock of wood for a move, two for a capture, tones for the rest. */

/** @typedef {"move" | "capture" | "check" | "end" | "low"} Sound */

/** @type {AudioContext | null} */
let context = null;

/** Browsers let a page make sounds only once somebody has touched it. */
function ready() {
  if (!navigator.userActivation?.hasBeenActive) return null;
  context ??= new AudioContext();
  return context;
}

/**
 * @param {AudioContext} audio
 * @param {{pitch: number, at?: number, length?: number, loud?: number, shape?: OscillatorType}}
 *   tone in hertz and seconds
 */
function tone(audio, { pitch, at = 0, length = 0.08, loud = 0.2, shape = "triangle" }) {
  const begin = audio.currentTime + at;
  const gain = new GainNode(audio, { gain: 0 });
  gain.gain.setValueAtTime(loud, begin);
  gain.gain.exponentialRampToValueAtTime(0.0001, begin + length);
  const source = new OscillatorNode(audio, { type: shape, frequency: pitch });
  source.frequency.exponentialRampToValueAtTime(pitch * 0.6, begin + length);
  source.connect(gain).connect(audio.destination);
  source.start(begin);
  source.stop(begin + length);
}

/** @type {Record<Sound, (audio: AudioContext) => void>} */
const SOUNDS = {
  move: (audio) => tone(audio, { pitch: 220 }),
  capture: (audio) => {
    tone(audio, { pitch: 260 });
    tone(audio, { pitch: 180, at: 0.06 });
  },
  check: (audio) => {
    tone(audio, { pitch: 220 });
    tone(audio, { pitch: 520, at: 0.05, length: 0.18, loud: 0.12, shape: "sine" });
  },
  end: (audio) => {
    for (const [i, pitch] of [392, 330, 262].entries()) {
      tone(audio, { pitch, at: 0.12 * i, length: 0.3, loud: 0.15, shape: "sine" });
    }
  },
  low: (audio) => tone(audio, { pitch: 660, length: 0.12, loud: 0.1, shape: "sine" }),
};

/** @param {Sound} sound @returns {boolean} whether it is heard */
export function play(sound) {
  const audio = ready();
  if (audio) SOUNDS[sound](audio);
  return audio !== null;
}

/** @param {string} san @returns {Sound} what a move sounds like */
export function soundOf(san) {
  if (/[+#]$/.test(san)) return "check";
  return san.includes("x") ? "capture" : "move";
}
