import logging
import warnings

from vidattn.commands.quiet import LIGHTNING, quiet


def test_advertisements_are_left_out_and_all_else_is_said(caplog):
    logger = logging.getLogger(LIGHTNING)
    before = list(logger.filters)
    try:
        with warnings.catch_warnings(record=True) as told, caplog.at_level("INFO", LIGHTNING):
            warnings.simplefilter("always")
            quiet()
            warnings.warn("The 'val_dataloader' does not have many workers which may be a bottleneck", stacklevel=1)
            warnings.warn("a video is broken", stacklevel=1)
            logger.info("\U0001f4a1 Tip: For seamless cloud logging, try litlogger")
            logger.info("GPU available: False")
    finally:
        logger.filters[:] = before

    assert [str(one.message) for one in told] == ["a video is broken"]
    assert [record.getMessage() for record in caplog.records] == ["GPU available: False"]
