"""The files of a run that goes on, as whoever watches it sees them."""

import threading

from nmdeploy.lava.recording import Recording


def test_a_watcher_never_sees_an_unfinished_window_as_finished(tmp_path):
    """Files are created again and again while another thread reads how far the run is."""
    recording = Recording(tmp_path, "population", windows=64, batch=64, timesteps=4, neurons=3)
    created, seen, failures = threading.Event(), set(), []

    def watch():
        while not created.is_set():
            try:
                seen.add(recording.windows_finished)
            except FileNotFoundError:
                continue
            except Exception as error:
                failures.append(error)

    watcher = threading.Thread(target=watch)
    watcher.start()
    for _ in range(200):
        recording.create(parts=16)
        recording.path("saturations").unlink()
    recording.create(parts=16)
    while not seen and not failures:
        pass
    created.set()
    watcher.join()
    assert not failures
    assert seen == {0}
