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

export function themeOf(mode: Mode): ThemeConfig {
  const colours = palettes[mode];
  return {
    algorithm: mode === 'dark' ? theme.darkAlgorithm : theme.defaultAlgorithm,
    cssVar: { key: 'cw' },
    token: {
      colorPrimary: mode === 'dark' ? '#3f74e0' : colours.act,
      colorSuccess: colours.good,
      colorWarning: colours.wait,
      colorError: colours.bad,
      colorInfo: mode === 'dark' ? '#3f74e0' : colours.act,
      colorLink: colours.act,
      colorTextBase: colours.text,
      colorTextSecondary: colours.quiet,
      colorTextTertiary: colours.quiet,
      colorTextDescription: colours.quiet,
      colorTextPlaceholder: mode === 'dark' ? '#8f99a8' : '#6b7484',
      colorBgLayout: colours.page,
      colorBgContainer: colours.card,
      colorBgElevated: colours.raised,
      colorBorder: mode === 'dark' ? '#454e5e' : '#c4cad3',
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
      Menu: { itemHeight: 36, activeBarBorderWidth: 0, itemBg: 'transparent', subMenuItemBg: 'transparent' },
      Table: { headerBg: colours.card, cellPaddingBlock: 10 },
      Tooltip: { colorBgSpotlight: mode === 'dark' ? '#3a4250' : '#1b2230' },
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
