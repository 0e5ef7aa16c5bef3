//! What scenarios boot from, made while there is no package yet: downloading and unpacking leave processors to compilers.

use crate::{Image, Result, Suite};

/// Builds every image that scenarios put the package on, or boot without it; with `emulation` that of the emulated
/// machine too. One that is forgotten here is built by the first scenario that needs it.
pub fn build_images(emulation: bool) -> Result<()> {
    let trixie = || Image::base(Suite::Trixie);
    trixie()?.add_payload()?.add_users()?;
    trixie()?.add_observers()?.add_payload()?;
    trixie()?.add_registry()?.add_payload()?;
    trixie()?.add_docker()?.add_payload()?;
    let bookworm = || Image::base(Suite::Bookworm);
    bookworm()?;
    if Suite::of_our_package().contains(&Suite::Bookworm) {
        bookworm()?.add_payload()?.add_users()?;
        bookworm()?.add_docker()?.add_payload()?;
    }
    Image::base(Suite::Forky)?.add_payload()?;
    if emulation {
        Image::kernel()?;
    }
    Ok(())
}
