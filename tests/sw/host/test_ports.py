"""Ports as users find them: missing, in use, not allowed, gone, or of another kind."""

import os
import threading
from contextlib import contextmanager
from importlib.metadata import EntryPoint

import numpy as np
import pytest
import serial

import spikeloom.host
from device_model import ModelDevice, model_design
from networks import random_network
from spikeloom.errors import UserError
from spikeloom.host import Device, design, transport
from spikeloom.host.failures import NoAnswerError, PortError
from spikeloom.host.serial_line import SerialLine
from spikeloom.host.transport import open_transport

IMAGE = random_network(np.random.default_rng(1), (9, 7, 4))


@contextmanager
def pseudo_terminal():
    """A port's name, and the other end of its line."""
    master, slave = os.openpty()
    try:
        yield os.ttyname(slave), master
    finally:
        os.close(master)
        os.close(slave)


@contextmanager
def served(model):
    """A port's name, with a model of a device behind it."""
    with pseudo_terminal() as (name, master):
        ending = threading.Event()

        def serve():
            while data := os.read(master, 4096):
                for byte in data:
                    model.receive([byte])
                    model.work()
                answer, model.sent = bytes(model.sent), bytearray()
                os.write(master, answer)
                if ending.is_set():
                    return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield name
        ending.set()
        with serial.Serial(name) as port:
            port.write(b"\0")
            thread.join()


def test_a_device_at_a_serial_port():
    model = ModelDevice(IMAGE)
    with served(model) as name:
        with Device.open(name, design=model_design(IMAGE, loadable=False)) as device:
            assert device.port == name
            samples = np.full((20, 9), 200, np.uint8)
            answers = device.classify(samples)
            assert len(set(map(tuple, answers.scores.tolist()))) == 1
            assert not answers.timings.simulated
            device.reconnect()
            assert device.classify(samples).labels.tolist() == answers.labels.tolist()
        with Device.open(name) as device:
            assert device.identity.inputs == 9


def refused(*, number=None, text="no"):
    class Refused(serial.Serial):
        def open(self):
            error = serial.SerialException(text)
            error.errno = number
            raise error

    return Refused


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (
            13,
            "you may not use /dev/ttyUSB1; join the group that owns it, for example: sudo usermod",
        ),
        (16, "/dev/ttyUSB1 is in use; close the other program"),
        (11, "/dev/ttyUSB1 is in use; close the other program"),
        (2, "there is no port /dev/ttyUSB1"),
        (None, r"/dev/ttyUSB1 is no serial port \(no\); name one, such as"),
    ],
)
def test_a_port_that_does_not_open(monkeypatch, number, message):
    monkeypatch.setattr(serial, "Serial", refused(number=number))
    with pytest.raises(PortError, match=message):
        open_transport("/dev/ttyUSB1")


def test_a_misspelt_port_names_the_nearest(monkeypatch):
    class Port:
        device = "/dev/ttyUSB1"

    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: [Port()])
    with pytest.raises(PortError, match=r"are /dev/ttyUSB1, did you mean '/dev/ttyUSB1'"):
        open_transport("/dev/ttyUSBB1")
    monkeypatch.setattr("serial.tools.list_ports.comports", list)
    with pytest.raises(PortError, match=r"no serial port is here; plug the board in"):
        open_transport("/dev/ttyUSBB1")


@pytest.mark.parametrize("path", ["/dev/null", "/tmp"])
def test_what_is_no_port(path):
    with pytest.raises(PortError, match=rf"{path} is no serial port"):
        open_transport(path)


def test_a_port_in_use():
    with pseudo_terminal() as (name, _):
        first = SerialLine(name)
        with pytest.raises(PortError, match=rf"{name} is in use"):
            SerialLine(name)
        first.close()
        first.close()
        SerialLine(name).close()


def test_control_wires_stay_off(monkeypatch):
    wires = {}

    class Watched(serial.Serial):
        def _update_dtr_state(self):
            wires["dtr"] = self.dtr

        def _update_rts_state(self):
            wires["rts"] = self.rts

    monkeypatch.setattr(serial, "Serial", Watched)
    with pseudo_terminal() as (name, _):
        SerialLine(name).close()
    assert wires == {"dtr": False, "rts": False}


def test_a_port_where_nothing_answers():
    with (
        pseudo_terminal() as (name, _),
        pytest.raises(NoAnswerError, match=rf"nothing answers at {name}"),
    ):
        Device.open(name, patience=0.01)


def exchange(line):
    for _ in range(3):
        line.write(b"12")
        line.read()


def test_a_port_that_goes_away():
    master, slave = os.openpty()
    line = SerialLine(os.ttyname(slave))
    os.close(slave)
    os.close(master)
    with pytest.raises(PortError, match=r"is gone"):
        exchange(line)
    line.close()


class Points(list):
    """Stands for the entry points of one group."""

    def __call__(self, *, group):
        return [point for point in self if point.group == group]


def test_kinds_of_ports(monkeypatch):
    points = Points([EntryPoint("toy", "builtins:str.upper", transport.GROUP)])
    monkeypatch.setattr(transport, "entry_points", points)
    assert open_transport("toy:place") == "PLACE"
    with pytest.raises(PortError, match=r"'sim'; run: pip install 'spikeloom.cosim.'"):
        open_transport("sim:place")
    with pytest.raises(PortError, match=r"no port toys:place"):
        open_transport("toys:place")


def test_designs(monkeypatch, tmp_path):
    points = Points()
    monkeypatch.setattr(design, "entry_points", points)
    with pytest.raises(UserError, match=r"there is no design .*nowhere"):
        design.find_design(tmp_path / "nowhere")
    with pytest.raises(UserError, match=r"pip install 'spikeloom.hw.'"):
        design.find_design(tmp_path)
    finders = {"none": lambda _path: None, "toy": lambda path: f"the toy at {path}"}
    monkeypatch.setattr(EntryPoint, "load", lambda point: finders[point.name])
    points.append(EntryPoint("none", "x", design.GROUP))
    with pytest.raises(UserError, match=r"is no design; name a folder of bitstreams/"):
        design.find_design(tmp_path)
    points.append(EntryPoint("toy", "x", design.GROUP))
    assert design.find_design(tmp_path) == f"the toy at {tmp_path}"


def test_names_of_the_package():
    assert spikeloom.host.Device is Device
    assert spikeloom.host.PortError is PortError
    with pytest.raises(AttributeError, match=r"no attribute 'Devise'"):
        _ = spikeloom.host.Devise
