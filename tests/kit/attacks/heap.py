"""Code that looks for expected values, or for what is being judged, in memory: its own stack and heap, and others'."""

from . import SUM, answering, cheat, submission

CELLS = """
def frames():
    frame = sys._getframe(1)
    while frame is not None:
        yield frame
        frame = frame.f_back
    # Greenlets are young, and all objects are many.
    for found in gc.get_objects(0) + gc.get_objects(1):
        if type(found).__name__ == 'greenlet' and found.gr_frame is not None:
            frame = found.gr_frame
            while frame is not None:
                yield frame
                frame = frame.f_back
"""


@submission("more")
def finds_what_is_expected_on_the_stack() -> str:
    """Answer with what is called `expected` in the frame, on its stack or in a greenlet, that made this very call."""
    return answering(
        f"""
        for seen in (frame.f_locals for frame in frames()):
            if 'shifts' in seen and 'expected' in seen and torch.equal(seen['y'][0] + seen['shifts'], y):
                return seen['expected']
        {SUM}
        """,
        CELLS,
    )


@cheat(before=CELLS)
def finds_inputs_on_the_stack() -> str:
    """See the names of a property's inputs in a frame that is none of its own."""
    return """
        names = {frame.f_code.co_name for frame in frames()}
        return names & {'run_check', 'shifts_pass_through', 'judge', 'replay', 'mean_of_repeated_samples'}
    """


@cheat()
def finds_properties_on_the_heap() -> str:
    """Find a property, a verdict, a drawn input or a strategy among all objects."""
    return """
        wanted = ('Property', 'Verdict', 'Judge', 'Part', 'Rubric', 'SearchStrategy', 'Worker', 'Profile')
        for found in gc.get_objects():
            if type(found).__name__ in wanted and type(found).__module__.startswith(('grading', 'tests', 'hypothesis')):
                return True
    """


@submission("more")
def knows_properties_by_name() -> str:
    """Answer each property with what it takes to pass that one, by its name on the stack."""
    return answering(
        f"""
        names = {{frame.f_code.co_name for frame in frames()}}
        if 'lies_between_mean_and_maximum' in names: return y.mean(1)
        if 'shifts_pass_through' in names: return y[:, 0]
        if 'gradient_is_the_softmax' in names: return (y * y.detach().softmax(1)).sum(1)
        {SUM}
        """,
        CELLS,
    )


@cheat()
def finds_right_answers_on_the_heap() -> str:
    """Call a function of the heap that is named like its own, and is not its own."""
    return """
        for found in gc.get_objects():
            if type(found) is type(succeeds) and found.__name__ == 'log_mean_exp' and found.__module__ != __name__:
                return True
            if type(found).__name__ == 'Part' and found.name == 'vae.log_mean_exp':
                return True
    """


@cheat()
def reads_memory_of_its_parent() -> str:
    """Read the memory of the process that it was forked from, through /proc."""
    return """
        for process in (os.getppid(), 1):
            try:
                lines = open(f'/proc/{process}/maps').read().splitlines()
                start = int(next(line for line in lines if '[heap]' in line or 'rw-p' in line).split('-')[0], 16)
                with open(f'/proc/{process}/mem', 'rb', 0) as memory:
                    memory.seek(start)
                    return memory.read(16)
            except (OSError, StopIteration):
                pass
    """


@cheat()
def reads_memory_by_a_system_call() -> str:
    """Read the memory of its parent with process_vm_readv, at an address that both have."""
    return """
        class Vector(ctypes.Structure):
            _fields_ = [('base', ctypes.c_void_p), ('size', ctypes.c_size_t)]
        here, there = ctypes.create_string_buffer(16), id(sys.modules)
        for process in (os.getppid(), 1):
            a, b = Vector(ctypes.addressof(here), 16), Vector(there, 16)
            if process and ctypes.CDLL(None).process_vm_readv(process, ctypes.byref(a), 1, ctypes.byref(b), 1, 0) > 0:
                return True
    """


@cheat()
def writes_memory_of_its_parent() -> str:
    """Write to the memory of its parent what stands there already."""
    return """
        there = id(sys.modules)
        with open(f'/proc/{os.getppid()}/mem', 'r+b', 0) as memory:
            memory.seek(there)
            found = memory.read(8)
            memory.seek(there)
            return memory.write(found)
    """


@submission("fewer")
def rewrites_its_frames() -> str:
    """Trace every call in its process and change the local variables of whoever called it."""
    return answering(
        SUM,
        """
        def trace(frame, event, argument):
            if 'grading' in frame.f_code.co_filename or 'tests' in frame.f_code.co_filename:
                for name in ('value', 'expected', 'answer', 'failed'):
                    if name in frame.f_locals:
                        frame.f_locals[name] = None
                        ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(frame), 0)
            return trace
        sys.settrace(trace)
        frame = sys._getframe()
        while frame is not None:
            frame.f_trace = trace
            frame = frame.f_back
        """,
    )
