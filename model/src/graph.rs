//! What the graph of a search says: from which states a converged one cannot be reached by moves
//! that are neither faults nor anybody's wish.

/// How many states reach none of `goals` along `edges` (from, to).
///
/// # Shape
/// States are `0..count`. A cycle without progress that can be left counts as reaching: every timer
/// fires at last.
pub fn stuck(count: usize, edges: &[(u32, u32)], goals: &[u32]) -> Vec<u32> {
    // Edges by target, as one array: offsets, then sources.
    let mut offsets = vec![0u32; count + 1];
    for (_, to) in edges {
        offsets[*to as usize + 1] += 1;
    }
    for at in 0..count {
        offsets[at + 1] += offsets[at];
    }
    let mut sources = vec![0u32; edges.len()];
    let mut next = offsets.clone();
    for (from, to) in edges {
        let slot = &mut next[*to as usize];
        sources[*slot as usize] = *from;
        *slot += 1;
    }
    let mut reaches = vec![false; count];
    let mut open: Vec<u32> = goals.to_vec();
    for goal in goals {
        reaches[*goal as usize] = true;
    }
    while let Some(state) = open.pop() {
        let of = offsets[state as usize] as usize..offsets[state as usize + 1] as usize;
        for source in &sources[of] {
            if !std::mem::replace(&mut reaches[*source as usize], true) {
                open.push(*source);
            }
        }
    }
    (0..count as u32)
        .filter(|state| !reaches[*state as usize])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cycle_that_cannot_be_left_is_stuck() {
        let edges = [(0, 1), (1, 2), (2, 1), (0, 3)];
        assert_eq!(stuck(4, &edges, &[3]), [1, 2]);
        assert_eq!(
            stuck(4, &[(0, 1), (1, 0), (1, 3), (2, 0)], &[3]),
            Vec::<u32>::new()
        );
    }
}
