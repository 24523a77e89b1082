"""The prompt library. Sound goes up and down over REST (``/files/prompts``)."""

from datetime import datetime

import strawberry

from backend.graphql.base import Done, FromRow, Info, mutation, query
from backend.identity.permissions import Permission
from backend.prompts import service


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

    @mutation(Permission.PROMPTS, "Remove a prompt in one language.")
    async def delete_prompt(self, info: Info, id: str) -> Done:
        await service.delete_prompt(info.context.state.db, info.context.actor, id)
        return Done()
