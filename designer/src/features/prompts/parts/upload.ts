/** Sending a sound to the prompt library. */
import type { UserError } from '@/graphql/useChange';

export const MAX_UPLOAD = 20 * 1024 * 1024;

export interface Uploaded {
  id: string;
  name: string;
  language: string;
  seconds: number;
}

/** The stored prompt, or why it was refused; null when the server could not be reached. */
export async function uploadPrompt(prompt: {
  name: string;
  language: string;
  file: Blob;
  transcript?: string;
}): Promise<Uploaded | UserError | null> {
  const form = new FormData();
  form.set('name', prompt.name);
  form.set('language', prompt.language);
  form.set('transcript', prompt.transcript ?? '');
  form.set('file', prompt.file, prompt.file instanceof File ? prompt.file.name : 'recording.wav');
  try {
    const answer = await fetch('/files/prompts', {
      method: 'POST',
      body: form,
      headers: { 'x-callweave': '1' },
      credentials: 'same-origin',
    });
    const told = (await answer.json()) as Uploaded | { error?: UserError; detail?: string };
    if (answer.ok) return told as Uploaded;
    if ('error' in told && told.error) return told.error;
    const detail = 'detail' in told && typeof told.detail === 'string' ? told.detail : String(answer.status);
    return {
      code: 'refused',
      field: 'file',
      message: { zh: `文件未被接受（${detail}）`, en: `The file was refused: ${detail}` },
      remedy: { zh: '请上传 WAV、FLAC、OGG 或 MP3。', en: 'Upload WAV, FLAC, OGG or MP3.' },
    };
  } catch {
    return null;
  }
}

export function isUploaded(answer: Uploaded | UserError | null): answer is Uploaded {
  return answer !== null && 'id' in answer;
}
