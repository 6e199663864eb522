//! What differs between operating systems, which packages the project may use, and that secrets of URLs stay secret.
