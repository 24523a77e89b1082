import { defineWords } from '@/i18n';

export const recordingWords = defineWords('recordingPlayer', {
  en: {
    play: 'Play',
    pause: 'Pause',
    download: 'Download',
    speed: 'Speed',
    cannotPlay: 'This recording could not be loaded. It may have been deleted.',
    incomplete: 'Incomplete: a fault cut the recording off',
    waveform: 'Waveform. Left and right arrows move 5 seconds.',
    loading: 'Loading…',
  },
  zh: {
    play: '播放',
    pause: '暂停',
    download: '下载',
    speed: '倍速',
    cannotPlay: '无法加载此录音，可能已被删除。',
    incomplete: '不完整：录音因故障中断',
    waveform: '波形，左右方向键跳 5 秒。',
    loading: '正在加载…',
  },
});
