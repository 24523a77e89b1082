"""The prompt library. Sound goes up and down over REST (``/files/prompts``)."""

from datetime import datetime

import strawberry
from strawberry.scalars import JSON

from backend.graphql.base import Done, FromRow, Info, mutation, query
from backend.identity.permissions import Permission
from backend.prompts import library, preview, service


@strawberry.type(name="Prompt")
class PromptType(FromRow):
    id: str
    name: str
    language: str
    text: str
    file: strawberry.Private[str]
    seconds: float
    updated_at: datetime

    @query(Permission.PROMPTS_READ, "Where to play the recording; null for a text.")
    async def url(self, info: Info) -> str | None:
        return f"/files/prompts/{self.id}" if self.file else None


@strawberry.type(description="A prompt sequence as callers hear it: where to play it, and its words.")
class RenderedPrompt:
    url: str
    seconds: float
    text: str


@strawberry.type
class PromptsQuery:
    @query(Permission.PROMPTS_READ, "Prompts by name and language.")
    async def prompts(self, info: Info) -> list[PromptType]:
        found = await service.list_prompts(info.context.state.db, info.context.actor.business_id)
        return [PromptType.of(prompt) for prompt in found]


@strawberry.type
class PromptsMutation:
    @mutation(Permission.PROMPTS, "A prompt that the TTS voice speaks.")
    async def save_prompt_text(self, info: Info, name: str, language: str, text: str) -> PromptType:
        saved = await service.save_text(
            info.context.state.db, info.context.actor, name=name, language=language, content=text
        )
        return PromptType.of(saved)

    @mutation(
        Permission.PROMPTS_READ,
        "Speak a prompt sequence in a language; values: {vars, nodes, call, customer} for its expressions.",
    )
    async def render_prompt(
        self, info: Info, prompt: JSON, language: str, values: JSON | None = None
    ) -> RenderedPrompt:
        state = info.context.state
        found = await preview.render_prompt(
            state.renderer, state.settings.home, info.context.actor.business_id, prompt, language, values
        )
        return RenderedPrompt(url=f"/files/previews/{found.name}", seconds=found.seconds, text=found.text)

    @mutation(Permission.PROMPTS, "Rename a prompt in all its languages; drafts that use it follow.")
    async def rename_prompt(self, info: Info, name: str, new_name: str) -> list[PromptType]:
        found = await library.rename(info.context.state.db, info.context.actor, name, new_name)
        return [PromptType.of(prompt) for prompt in found]

    @mutation(Permission.PROMPTS, "Remove a prompt in one language.")
    async def delete_prompt(self, info: Info, id: str) -> Done:
        await service.delete_prompt(info.context.state.db, info.context.actor, id)
        return Done()
