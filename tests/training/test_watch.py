"""What onlookers leave behind: lines, events, a bar."""

import json
import struct

import pytest

from probtransform.training.watch import json_lines, progress, read_lines, tensorboard


def rows(*steps):
    return [{"step": step, "loss/one": step / 2} for step in steps]


def watched(watch, lines):
    for row in lines:
        watch(row["step"], None, row)


def test_lines_are_read_as_they_were_written(tmp_path):
    watched(json_lines(tmp_path / "deep" / "m.jsonl"), rows(2, 4, 6))
    assert read_lines(tmp_path / "deep" / "m.jsonl") == rows(2, 4, 6)
    assert read_lines(tmp_path / "none") == []


def test_steps_taken_again_replace_their_lines(tmp_path):
    watched(json_lines(tmp_path / "m"), rows(2, 4, 6))
    watched(json_lines(tmp_path / "m"), rows(3, 5))
    assert read_lines(tmp_path / "m") == rows(2, 3, 5)


def test_a_line_cut_short_is_left_out_and_then_replaced(tmp_path):
    whole = "".join(json.dumps(row) + "\n" for row in rows(2, 4))
    (tmp_path / "m").write_text(whole[:-5])
    assert read_lines(tmp_path / "m") == rows(2)
    watched(json_lines(tmp_path / "m"), rows(4))
    assert read_lines(tmp_path / "m") == rows(2, 4)


@pytest.mark.parametrize("line", ["no json", "[1]", "{}", '{"step": "x"}'])
def test_a_file_of_something_else_is_refused(tmp_path, line):
    (tmp_path / "m").write_text(line + "\n")
    with pytest.raises(ValueError, match="wanted what training wrote"):
        watched(json_lines(tmp_path / "m"), rows(1))
    assert (tmp_path / "m").read_text() == line + "\n"


def events(directory):
    """The records of all event files: `[(step, {tag: value})]`, framed as TFRecord has them."""
    from tensorboardX.proto.event_pb2 import Event
    from tensorboardX.record_writer import masked_crc32c

    for path in sorted(directory.iterdir()):
        data = path.read_bytes()
        while data:
            (length,) = struct.unpack("<Q", data[:8])
            assert struct.unpack("<I", data[8:12])[0] == masked_crc32c(data[:8])
            body = data[12 : 12 + length]
            assert struct.unpack("<I", data[12 + length : 16 + length])[0] == masked_crc32c(body)
            event = Event.FromString(body)
            yield event.step, {value.tag: value.simple_value for value in event.summary.value}
            data = data[16 + length :]


def test_events_hold_every_metric_but_the_step(tmp_path):
    watched(tensorboard(tmp_path / "events"), rows(2, 4))
    assert [seen for seen in events(tmp_path / "events") if seen[1]] == [
        (2, {"loss/one": 1.0}),
        (4, {"loss/one": 2.0}),
    ]


def test_each_try_writes_a_file_of_its_own(tmp_path):
    for _ in range(2):
        watched(tensorboard(tmp_path), rows(2))
    assert len(list(tmp_path.iterdir())) == 2


def test_the_bar_shows_the_losses_and_not_their_errors(capsys):
    with progress("vae", 4) as watch:
        watch(4, None, {"step": 4, "loss/one": 0.5, "loss/one/se": 0.25, "other": 9.0})
    out = capsys.readouterr().out
    assert "vae" in out and "4/4" in out and "one 0.5" in out
    assert "0.25" not in out and "other" not in out
