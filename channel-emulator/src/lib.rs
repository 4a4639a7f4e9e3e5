//! channel-emulator
