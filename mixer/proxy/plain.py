"""The quick way for what changes all the time, as a dragged object's place: only what is written is read."""

from __future__ import annotations

from broadcaster.tree import Tree, same

from .context import Context, Datablock
from .entries import Entry
from .fields import WRITE_ERRORS
from .struct import plan_of


def write_plain(ctx: Context, datablock: Datablock, entry: Entry, tree: Tree) -> bool:
    """Writes properties whose writing moves nothing else; `tree` is the document's from now on.

    False where more has changed, here or there: then nothing is written, or as much as Blender took.
    """
    if getattr(datablock, "animation_data", None) is not None:
        return False
    plan, live = plan_of(datablock), entry.live
    changed = [name for name, value in tree.items() if not same(live.get(name), value)]
    if not plan.rule.plain.issuperset(changed) or len(live) > len(tree):
        return False
    proxies = [(name, plan.proxies[name]) for name in changed if name in live]
    if len(proxies) < len(changed):
        return False
    if any(proxy.read(ctx, datablock, live[name], live) != live[name] for name, proxy in proxies):
        return False  # edited here, and not noticed yet
    try:
        for name, proxy in proxies:
            proxy.write(ctx, datablock, live[name], tree[name], tree)
    except WRITE_ERRORS:
        # What is written already is no edit of anybody here.
        entry.live = {**live, **{name: proxy.read(ctx, datablock, live[name], live) for name, proxy in proxies}}
        return False
    now = {**live, **{name: proxy.read(ctx, datablock, tree[name], tree) for name, proxy in proxies}}
    entry.doc, entry.live = tree, tree if now == tree else now
    return True
