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

/**
 * Ant's dark algorithm mixes every colour with the background until text in it is hard to read. Here the tones stay
 * as they are named above: light ones, with dark text on whatever is filled with them.
 */
const darkTones: Derive = (seed, map) => {
  const tones = palettes.dark;
  const family = (name: string, tone: string, hover: string) => ({
    [`color${name}`]: tone,
    [`color${name}Hover`]: hover,
    [`color${name}Active`]: tone,
    [`color${name}Text`]: tone,
    [`color${name}TextHover`]: hover,
    [`color${name}TextActive`]: tone,
    [`color${name}BorderHover`]: hover,
  });
  return {
    ...theme.darkAlgorithm(seed, map),
    ...family('Primary', tones.act, '#9dbcff'),
    ...family('Info', tones.act, '#9dbcff'),
    ...family('Error', tones.bad, '#ffa9a1'),
    ...family('Success', tones.good, '#7fdba6'),
    ...family('Warning', tones.wait, '#f0c47c'),
    colorLink: tones.act,
    colorLinkHover: '#9dbcff',
    colorLinkActive: tones.act,
  };
};

export function themeOf(mode: Mode): ThemeConfig {
  const colours = palettes[mode];
  const dark = mode === 'dark';
  return {
    algorithm: dark ? darkTones : theme.defaultAlgorithm,
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
      colorTextPlaceholder: dark ? '#8f99a8' : '#6b7484',
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
        itemHeight: 36,
        activeBarBorderWidth: 0,
        itemBg: 'transparent',
        subMenuItemBg: 'transparent',
        itemSelectedBg: dark ? '#24324f' : '#e6edfb',
        itemSelectedColor: colours.act,
      },
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
