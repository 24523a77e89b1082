/** One design language, light and dark: blue acts, green is connected, amber waits, red is wrong, violet is outbound. */
import { type ThemeConfig, theme } from 'antd';
import { createStore, useStore } from 'zustand';

export type Mode = 'light' | 'dark';
export type Choice = Mode | 'system';

export interface Palette {
  act: string;
  good: string;
  wait: string;
  bad: string;
  outbound: string;
  off: string;
  page: string;
  card: string;
  raised: string;
  line: string;
  text: string;
  quiet: string;
}

export const palettes: Record<Mode, Palette> = {
  light: {
    act: '#2456c7',
    good: '#14783e',
    wait: '#9a5b00',
    bad: '#c42b26',
    outbound: '#6d3fc0',
    off: '#667085',
    page: '#f5f6f8',
    card: '#ffffff',
    raised: '#ffffff',
    line: '#dfe3e8',
    text: '#1b2230',
    quiet: '#596273',
  },
  dark: {
    act: '#7aa5ff',
    good: '#58c98a',
    wait: '#e5ad4f',
    bad: '#ff8a80',
    outbound: '#b79bff',
    off: '#98a2b3',
    page: '#12151b',
    card: '#1a1e26',
    raised: '#222732',
    line: '#333a47',
    text: '#e6e9ef',
    quiet: '#a5aebd',
  },
};

export const FONT =
  '"Inter Variable", "Inter", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", system-ui, sans-serif';

type Derive = NonNullable<Exclude<ThemeConfig['algorithm'], readonly unknown[]>>;

/** What is filled with a tone: quiet, so that text in the tone is easy to read on it. */
const fills: Record<Mode, Record<'Primary' | 'Info' | 'Success' | 'Warning' | 'Error', [string, string]>> = {
  light: {
    Primary: ['#e8effc', '#b4c8f2'],
    Info: ['#e8effc', '#b4c8f2'],
    Success: ['#e6f5ec', '#a3d4b6'],
    Warning: ['#fdf3e1', '#e8c88f'],
    Error: ['#fdecea', '#f0b3af'],
  },
  dark: {
    Primary: ['#1e2a44', '#34507f'],
    Info: ['#1e2a44', '#34507f'],
    Success: ['#17301f', '#2f5f43'],
    Warning: ['#33291a', '#6b5327'],
    Error: ['#3a2221', '#7a3f3b'],
  },
};

/**
 * Ant derives fills and hovers from each colour, in the dark theme by mixing with the background, until text on them is
 * hard to read. Here the tones stay as they are named above, with fills of their own.
 */
function tonesOf(mode: Mode): Derive {
  const tones = palettes[mode];
  const dark = mode === 'dark';
  const hovers = dark
    ? { act: '#9dbcff', bad: '#ffa9a1', good: '#7fdba6', wait: '#f0c47c' }
    : { act: '#3b6bdb', bad: '#d94b45', good: '#1b9150', wait: '#b87008' };
  const family = (name: keyof (typeof fills)['light'], tone: string, hover: string) => ({
    [`color${name}`]: tone,
    [`color${name}Hover`]: hover,
    [`color${name}Active`]: tone,
    [`color${name}Text`]: tone,
    [`color${name}TextHover`]: hover,
    [`color${name}TextActive`]: tone,
    [`color${name}Bg`]: fills[mode][name][0],
    [`color${name}BgHover`]: fills[mode][name][0],
    [`color${name}Border`]: fills[mode][name][1],
    [`color${name}BorderHover`]: hover,
  });
  return (seed, map) => ({
    ...(dark ? theme.darkAlgorithm(seed, map) : theme.defaultAlgorithm(seed)),
    ...family('Primary', tones.act, hovers.act),
    ...family('Info', tones.act, hovers.act),
    ...family('Error', tones.bad, hovers.bad),
    ...family('Success', tones.good, hovers.good),
    ...family('Warning', tones.wait, hovers.wait),
    colorLink: tones.act,
    colorLinkHover: hovers.act,
    colorLinkActive: tones.act,
  });
}

const derive: Record<Mode, Derive> = { light: tonesOf('light'), dark: tonesOf('dark') };

export function themeOf(mode: Mode): ThemeConfig {
  const colours = palettes[mode];
  const dark = mode === 'dark';
  return {
    algorithm: derive[mode],
    cssVar: { key: 'cw' },
    token: {
      colorPrimary: colours.act,
      colorSuccess: colours.good,
      colorWarning: colours.wait,
      colorError: colours.bad,
      colorInfo: colours.act,
      colorLink: colours.act,
      colorTextLightSolid: dark ? '#0d1420' : '#ffffff',
      colorText: colours.text,
      colorTextHeading: colours.text,
      colorTextSecondary: colours.quiet,
      colorTextTertiary: colours.quiet,
      colorTextDescription: colours.quiet,
      colorTextPlaceholder: dark ? '#9aa4b3' : '#5d6675',
      colorBgLayout: colours.page,
      colorBgContainer: colours.card,
      colorBgElevated: colours.raised,
      colorBgSpotlight: dark ? '#dfe5ee' : '#1b2230',
      colorBorder: dark ? '#454e5e' : '#c4cad3',
      colorBorderSecondary: colours.line,
      fontFamily: FONT,
      fontSize: 14,
      borderRadius: 6,
      sizeUnit: 4,
      motionDurationMid: '0.12s',
      motionDurationSlow: '0.18s',
    },
    components: {
      Layout: { siderBg: colours.card, headerBg: colours.card, bodyBg: colours.page },
      Menu: {
        itemHeight: 29,
        itemMarginBlock: 1,
        activeBarBorderWidth: 0,
        itemBg: 'transparent',
        subMenuItemBg: 'transparent',
        itemSelectedBg: dark ? '#24324f' : '#e6edfb',
        itemSelectedColor: colours.act,
      },
      Alert: { withDescriptionIconSize: 18, withDescriptionPadding: '10px 14px' },
      Table: {
        headerBg: colours.card,
        headerColor: colours.quiet,
        headerSplitColor: 'transparent',
        cellPaddingBlock: 10,
      },
    },
  };
}

/** The colours as CSS variables (`--act`, `--good` ...), for everything that Ant Design does not draw. */
export function applyPalette(mode: Mode): void {
  const root = document.documentElement;
  root.dataset.theme = mode;
  root.style.colorScheme = mode;
  for (const [name, value] of Object.entries(palettes[mode])) root.style.setProperty(`--${name}`, value);
}

const KEPT = 'callweave.theme';
const dark = window.matchMedia('(prefers-color-scheme: dark)');

function modeOf(choice: Choice): Mode {
  return choice === 'system' ? (dark.matches ? 'dark' : 'light') : choice;
}

interface Look {
  choice: Choice;
  mode: Mode;
  choose(choice: Choice): void;
}

function kept(): Choice {
  const found = localStorage.getItem(KEPT);
  return found === 'light' || found === 'dark' ? found : 'system';
}

export const look = createStore<Look>()((set) => ({
  choice: kept(),
  mode: modeOf(kept()),
  choose: (choice) => {
    if (choice === 'system') localStorage.removeItem(KEPT);
    else localStorage.setItem(KEPT, choice);
    set({ choice, mode: modeOf(choice) });
  },
}));

dark.addEventListener('change', () => look.getState().choose(look.getState().choice));
applyPalette(look.getState().mode);
look.subscribe((now) => applyPalette(now.mode));

export function useLook(): Look {
  return useStore(look);
}
