//! How many bulk requests an instance works on at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use crate::app::{App, Error};
use crate::ids::TenantId;
use crate::store::Tx;
use crate::store::bulk;

use super::RETRY_AFTER;
use super::later::FEW;

/// Requests whose clients wait, and those of them that may be of one tenant.
const AT_ONCE: usize = 16;
const AT_ONCE_EACH: usize = 4;
/// Asynchronous jobs.
const SIDE_BY_SIDE: usize = 2;

/// The room on this instance.
#[derive(Debug, Clone)]
pub(in crate::app) struct Rooms {
    /// For requests whose clients wait.
    waited_for: House,
    /// For asynchronous jobs.
    pub(super) later: House,
    /// Tells that a job has ended, and another may begin.
    pub(super) free: Arc<Notify>,
}

impl Default for Rooms {
    fn default() -> Self {
        Self {
            waited_for: House::of(AT_ONCE),
            later: House::of(SIDE_BY_SIDE),
            free: Arc::default(),
        }
    }
}

/// So many rooms, and who is in them.
#[derive(Debug, Clone)]
pub(super) struct House {
    rooms: usize,
    taken: Arc<Mutex<HashMap<TenantId, usize>>>,
}

/// One of them, until it is dropped.
#[derive(Debug)]
pub(super) struct Room {
    house: House,
    tenant: TenantId,
}

impl House {
    fn of(rooms: usize) -> Self {
        Self { rooms, taken: Arc::default() }
    }

    /// A room, where one is free and the tenant has fewer than this.
    pub(super) fn enter(&self, tenant: &TenantId, each: usize) -> Option<Room> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let own = taken.get(tenant).copied().unwrap_or_default();
        if own >= each || taken.values().sum::<usize>() >= self.rooms {
            return None;
        }
        taken.insert(tenant.clone(), own + 1);
        Some(Room { house: self.clone(), tenant: tenant.clone() })
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut taken = self.house.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = taken.get_mut(&self.tenant) {
            *own -= 1;
            if *own == 0 {
                taken.remove(&self.tenant);
            }
        }
    }
}

impl App {
    /// Room for a request whose client waits.
    pub(super) fn room(&self, tenant: &TenantId) -> Result<Room, Error> {
        let room = self.0.rooms.waited_for.enter(tenant, AT_ONCE_EACH);
        room.ok_or(Error::Busy(RETRY_AFTER))
    }

    /// Room for a job that was just accepted; a second one only while no other tenant waits.
    pub(super) async fn room_for_later(&self, tenant: &TenantId) -> Option<Room> {
        let later = &self.0.rooms.later;
        if let Some(room) = later.enter(tenant, 1) {
            return Some(room);
        }
        let now = self.clock().now();
        let waiting =
            self.store().read(async move |tx: &mut Tx<'_>| bulk::waiting(tx, now, FEW).await).await;
        let alone = waiting.ok()?.iter().all(|place| place.tenant == *tenant);
        if alone { later.enter(tenant, SIDE_BY_SIDE) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_has_its_share_and_all_together_have_theirs() {
        let (house, one, two) = (House::of(3), TenantId::from("1"), TenantId::from("2"));
        let first = house.enter(&one, 2).unwrap();
        let second = house.enter(&one, 2).unwrap();
        assert!(house.enter(&one, 2).is_none(), "its share");
        let third = house.enter(&two, 2).unwrap();
        assert!(house.enter(&two, 2).is_none(), "all are taken");
        drop(first);
        assert!(house.enter(&two, 2).is_some());
        assert!(house.enter(&one, 2).is_some(), "given back at once");
        drop((second, third));
        assert!(house.taken.lock().unwrap().is_empty());
    }
}
