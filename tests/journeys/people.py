"""People who may sign in, and their pages with a phone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser

from backend.runtime.testing import Product
from tests.phones.browser import BrowserPhone

PASSWORD = "orbit-lantern-4711"


async def make_user(product: Product, name: str, role: str, extension: str = "") -> str:
    """A person who may sign in, at an extension; made once in a product. Their id."""
    known = await product.graphql("{ users { id name } }")
    id = next((one["id"] for one in known["users"] if one["name"] == name), None)
    if id is None:
        made = await product.graphql(
            "mutation($n: String!, $p: String!, $r: String!) { createUser(name: $n, password: $p, role: $r,"
            " mustChangePassword: false) { value { id } errors { code message { en } } } }",
            n=name,
            p=PASSWORD,
            r=role,
        )
        assert made["createUser"]["errors"] == [], made
        id = made["createUser"]["value"]["id"]
    if extension:
        have = await product.graphql("{ extensions { id number } }")
        given = await product.graphql(
            "mutation($n: String!, $u: String!, $i: String) { saveExtension(number: $n, userId: $u, id: $i)"
            " { errors { code message { en } } } }",
            n=extension,
            u=id,
            i=next((one["id"] for one in have["extensions"] if one["number"] == extension), None),
        )
        assert given["saveExtension"]["errors"] == [], given
    return str(id)


@asynccontextmanager
async def at_a_browser(
    product: Product, browser: Browser, folder: Path, name: str, role: str, extension: str = ""
) -> AsyncIterator[BrowserPhone]:
    """A person of that name signed in at a page of their own."""
    await make_user(product, name, role, extension)
    async with BrowserPhone(browser, product.http_url, name, PASSWORD, folder) as phone:
        yield phone
