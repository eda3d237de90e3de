from pathlib import Path

import pytest

from penstock.engine.uploads import check_owner, delete_quietly, put_upload
from penstock.model.errors import InvalidError
from penstock.store.blobs import Blobs

TASK = "01a1fe47-2597-700e-a569-fb5a0d2c7bba"


def test_a_task_owns_what_it_uploaded_as_what_it_is(tmp_path: Path) -> None:
    blobs = Blobs.connect(str(tmp_path))
    name = put_upload(blobs, TASK, "cache", [b"a", b"b"])
    assert blobs.read(name) == b"ab"
    check_owner(TASK, "cache", name)
    for task, kind in ((TASK, "layer"), (TASK.replace("01a1", "01a2"), "cache")):
        with pytest.raises(InvalidError):
            check_owner(task, kind, name)


def test_a_blob_that_cannot_be_deleted_stays_behind_with_a_word(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blobs = Blobs.connect(str(tmp_path))
    delete_quietly(blobs, "../escape")
    assert "stays behind" in caplog.text
