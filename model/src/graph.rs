//! What the graph of a search says, of moves that are neither faults nor anybody's wish: from which
//! states no goal is reached, and where a fair schedule can go round without one.

/// The edges of a search, by source.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// Where the edges of each state begin.
    starts: Vec<u32>,
    targets: Vec<u32>,
    /// The class of the action on each edge.
    classes: Vec<Class>,
}

/// The class of the action on an edge, by number, and how a schedule has to be fair to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Class(u32);

impl Class {
    /// The bit that tells the two kinds apart.
    const STRONG: u32 = 1 << 31;

    /// It is taken if it is offered all along: a message that stays in flight arrives.
    pub const fn weak(number: u32) -> Self {
        Self(number)
    }

    /// It is taken if it is offered again and again: a timer that is armed runs on where the
    /// reductions let it wait for the unit's own messages.
    pub const fn strong(number: u32) -> Self {
        Self(number | Self::STRONG)
    }

    /// The bit of an edge that gives things new names.
    const RENAMES: u32 = 1 << 30;

    /// On an edge that gives things new names: what is offered behind it under the same name may be
    /// another thing.
    pub const fn renaming(self) -> Self {
        Self(self.0 | Self::RENAMES)
    }

    const fn renames(self) -> bool {
        self.0 & Self::RENAMES != 0
    }

    const fn named(self) -> Self {
        Self(self.0 & !Self::RENAMES)
    }

    const fn is_strong(self) -> bool {
        self.0 & Self::STRONG != 0
    }
}

impl Graph {
    /// The next state, in the order of their numbers; its edges follow.
    pub fn begin(&mut self) {
        self.starts.push(self.targets.len() as u32);
    }

    /// An edge of the state that was begun last.
    pub fn edge(&mut self, to: u32, class: Class) {
        self.targets.push(to);
        self.classes.push(class);
    }

    /// How many edges there are.
    pub const fn len(&self) -> usize {
        self.targets.len()
    }

    /// Whether there is no edge.
    pub const fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// Bytes that it holds.
    pub const fn bytes(&self) -> usize {
        4 * (self.starts.capacity() + self.targets.capacity() + self.classes.capacity())
    }

    const fn count(&self) -> usize {
        self.starts.len()
    }

    fn edges(&self, state: u32) -> std::ops::Range<usize> {
        let at = state as usize;
        let end = self.starts.get(at + 1).map_or(self.targets.len(), |end| *end as usize);
        self.starts[at] as usize..end
    }

    /// The states that reach none of `goals`, in order.
    pub fn stuck(&self, goals: &[u32]) -> Vec<u32> {
        // Edges by target: offsets, then sources.
        let mut offsets = vec![0u32; self.count() + 1];
        for to in &self.targets {
            offsets[*to as usize + 1] += 1;
        }
        for at in 0..self.count() {
            offsets[at + 1] += offsets[at];
        }
        let mut sources = vec![0u32; self.targets.len()];
        let mut next = offsets.clone();
        for from in 0..self.count() as u32 {
            for edge in self.edges(from) {
                let slot = &mut next[self.targets[edge] as usize];
                sources[*slot as usize] = from;
                *slot += 1;
            }
        }
        let mut reaches = vec![false; self.count()];
        let mut open: Vec<u32> = goals.to_vec();
        for goal in goals {
            reaches[*goal as usize] = true;
        }
        while let Some(state) = open.pop() {
            let range = offsets[state as usize] as usize..offsets[state as usize + 1] as usize;
            for source in &sources[range] {
                if !std::mem::replace(&mut reaches[*source as usize], true) {
                    open.push(*source);
                }
            }
        }
        (0..self.count() as u32).filter(|state| !reaches[*state as usize]).collect()
    }

    /// The states without a goal among which a fair schedule can stay for ever, in groups that
    /// reach each other.
    ///
    /// # Shape
    /// A schedule stays in a strongly connected component if each weak class is taken inside or not
    /// offered by one of its states, and each strong class is taken inside or offered by none: the
    /// states that offer one that is not are taken away, and what is left falls into components
    /// again.
    pub fn fair_cycles(&self, goals: &[u32]) -> Vec<Vec<u32>> {
        let mut walk = Walk {
            graph: self,
            group: vec![1; self.count()],
            groups: 1,
            numbers: vec![0; self.count()],
            lows: vec![0; self.count()],
            component: vec![0; self.count()],
            stack: Vec::new(),
            next: 0,
            components: 0,
        };
        for goal in goals {
            walk.group[*goal as usize] = 0;
        }
        let all = (0..self.count() as u32).filter(|state| walk.group[*state as usize] != 0);
        let mut open = vec![all.collect::<Vec<u32>>()];
        let mut cycles = Vec::new();
        while let Some(group) = open.pop() {
            for states in walk.components(&group) {
                match walk.judge(&states) {
                    Fairness::Owes => {}
                    Fairness::Fair => cycles.push(states),
                    Fairness::Without(offering) => open.push(walk.split(states, &offering)),
                }
            }
        }
        cycles
    }
}

/// What a schedule that stays in a component is.
enum Fairness {
    /// It goes nowhere, or owes an action that is offered all along.
    Owes,
    /// It can stay.
    Fair,
    /// It owes actions that these states offer.
    Without(Vec<u32>),
}

/// Tarjan's walk, without recursion, within one group of states. Numbers, components and groups
/// count from one.
struct Walk<'a> {
    graph: &'a Graph,
    group: Vec<u32>,
    groups: u32,
    numbers: Vec<u32>,
    lows: Vec<u32>,
    component: Vec<u32>,
    stack: Vec<u32>,
    next: u32,
    components: u32,
}

impl Walk<'_> {
    /// The components of a group.
    fn components(&mut self, group: &[u32]) -> Vec<Vec<u32>> {
        let mut found = Vec::new();
        for root in group {
            if self.numbers[*root as usize] == 0 {
                self.from(*root, &mut found);
            }
        }
        found
    }

    fn from(&mut self, root: u32, found: &mut Vec<Vec<u32>>) {
        let group = self.group[root as usize];
        let mut calls = vec![(root, self.enter(root))];
        while let Some((state, edge)) = calls.last_mut() {
            let state = *state;
            let end = self.graph.edges(state).end;
            if *edge < end {
                let to = self.graph.targets[*edge];
                *edge += 1;
                let at = to as usize;
                if self.group[at] != group {
                    continue;
                }
                if self.numbers[at] == 0 {
                    let first = self.enter(to);
                    calls.push((to, first));
                } else if self.component[at] == 0 {
                    self.lower(state, self.numbers[at]);
                }
                continue;
            }
            calls.pop();
            let low = self.lows[state as usize];
            if let Some((parent, _)) = calls.last() {
                self.lower(*parent, low);
            }
            if low == self.numbers[state as usize] {
                found.push(self.close(state));
            }
        }
    }

    /// Numbers a state; its first edge.
    fn enter(&mut self, state: u32) -> usize {
        self.next += 1;
        self.numbers[state as usize] = self.next;
        self.lows[state as usize] = self.next;
        self.stack.push(state);
        self.graph.edges(state).start
    }

    fn lower(&mut self, state: u32, to: u32) {
        let low = &mut self.lows[state as usize];
        *low = (*low).min(to);
    }

    /// The component whose first state this is.
    fn close(&mut self, first: u32) -> Vec<u32> {
        self.components += 1;
        let at = self
            .stack
            .iter()
            .rposition(|state| *state == first)
            .expect("a state stays on the stack until its component is closed");
        let states = self.stack.split_off(at);
        for state in &states {
            self.component[*state as usize] = self.components;
        }
        states
    }

    fn judge(&self, states: &[u32]) -> Fairness {
        let own = self.component[states[0] as usize];
        // Class, state, whether the edge stays inside.
        let mut offers = Vec::new();
        for state in states {
            for edge in self.graph.edges(*state) {
                let stays = self.component[self.graph.targets[edge] as usize] == own;
                let class = self.graph.classes[edge];
                if stays && class.renames() {
                    // It goes on for ever with ever new rounds, and who owes what is not told
                    // apart.
                    return Fairness::Fair;
                }
                offers.push((class.named(), *state, stays));
            }
        }
        if !offers.iter().any(|(_, _, stays)| *stays) {
            return Fairness::Owes;
        }
        offers.sort_unstable();
        let mut offering = Vec::new();
        for of_class in offers.chunk_by(|a, b| a.0 == b.0) {
            if of_class.iter().any(|(_, _, stays)| *stays) {
                continue;
            }
            let by_state = of_class.chunk_by(|a, b| a.1 == b.1);
            if of_class[0].0.is_strong() {
                offering.extend(by_state.map(|edges| edges[0].1));
            } else if by_state.count() == states.len() {
                return Fairness::Owes;
            }
        }
        if offering.is_empty() {
            Fairness::Fair
        } else {
            offering.sort_unstable();
            Fairness::Without(offering)
        }
    }

    /// The group of what is left of a component.
    fn split(&mut self, mut states: Vec<u32>, offering: &[u32]) -> Vec<u32> {
        self.groups += 1;
        for state in &states {
            let at = *state as usize;
            (self.numbers[at], self.component[at]) = (0, 0);
            self.group[at] = 0;
        }
        states.retain(|state| offering.binary_search(state).is_err());
        for state in &states {
            self.group[*state as usize] = self.groups;
        }
        states
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Classes from here on are strong.
    const STRONG: u32 = 10;

    /// A graph of `count` states with these edges: (from, to, class).
    fn graph(count: u32, edges: &[(u32, u32, u32)]) -> Graph {
        let mut graph = Graph::default();
        for state in 0..count {
            graph.begin();
            for (_, to, class) in edges.iter().filter(|(from, ..)| *from == state) {
                let class =
                    if *class < STRONG { Class::weak(*class) } else { Class::strong(*class) };
                graph.edge(*to, class);
            }
        }
        graph
    }

    fn cycles(graph: &Graph, goals: &[u32]) -> Vec<Vec<u32>> {
        let mut found = graph.fair_cycles(goals);
        for states in &mut found {
            states.sort_unstable();
        }
        found
    }

    #[test]
    fn a_cycle_that_cannot_be_left_is_stuck() {
        let closed = graph(4, &[(0, 1, 0), (1, 2, 0), (2, 1, 0), (0, 3, 1)]);
        assert_eq!(closed.stuck(&[3]), [1, 2]);
        let left = graph(4, &[(0, 1, 0), (1, 0, 0), (1, 3, 1), (2, 0, 0)]);
        assert_eq!(left.stuck(&[3]), Vec::<u32>::new());
    }

    #[test]
    fn a_cycle_whose_way_out_is_offered_all_along_is_not_fair() {
        let owes = graph(3, &[(0, 1, 0), (1, 0, 0), (0, 2, 1), (1, 2, 1)]);
        assert_eq!(cycles(&owes, &[2]), Vec::<Vec<u32>>::new());
    }

    #[test]
    fn a_cycle_whose_way_out_comes_and_goes_is_a_livelock_though_nothing_is_stuck() {
        let livelock = graph(3, &[(0, 1, 0), (1, 0, 0), (1, 2, 1)]);
        assert_eq!(livelock.stuck(&[2]), Vec::<u32>::new());
        assert_eq!(cycles(&livelock, &[2]), [[0, 1]]);
    }

    #[test]
    fn a_cycle_that_gives_new_names_is_excused_by_nothing() {
        let edges = [(0, 1, 0), (1, 0, 0), (0, 2, 1), (1, 2, 1)];
        let mut graph = graph(3, &edges);
        assert_eq!(cycles(&graph, &[2]), Vec::<Vec<u32>>::new());
        graph.classes[0] = graph.classes[0].renaming();
        assert_eq!(cycles(&graph, &[2]), [[0, 1]]);
    }

    #[test]
    fn a_cycle_through_a_goal_is_progress_and_a_loop_at_one_state_is_a_cycle() {
        let through = graph(2, &[(0, 1, 0), (1, 0, 0)]);
        assert_eq!(cycles(&through, &[1]), Vec::<Vec<u32>>::new());
        let own = graph(2, &[(0, 0, 0), (0, 1, 1)]);
        assert_eq!(cycles(&own, &[1]), Vec::<Vec<u32>>::new());
        let only = graph(2, &[(0, 0, 0)]);
        assert_eq!(cycles(&only, &[1]), [[0]]);
    }

    #[test]
    fn inner_cycles_belong_to_the_component_around_them() {
        let edges = [(0, 1, 0), (1, 2, 1), (2, 1, 2), (2, 0, 3), (1, 3, 4), (3, 3, 5)];
        assert_eq!(cycles(&graph(4, &edges), &[]), [vec![3], vec![0, 1, 2]]);
    }

    #[test]
    fn a_timer_that_is_offered_again_and_again_fires() {
        let timer = graph(3, &[(0, 1, 0), (1, 0, 0), (1, 2, STRONG)]);
        assert_eq!(cycles(&timer, &[2]), Vec::<Vec<u32>>::new());
    }

    #[test]
    fn what_is_left_of_a_component_can_be_a_cycle_that_owes_nothing() {
        let edges = [(0, 1, 0), (1, 0, 1), (1, 2, 2), (2, 1, 3), (2, 3, STRONG)];
        // State 2 owes the timer; between 0 and 1 it is never offered.
        assert_eq!(cycles(&graph(4, &edges), &[3]), [[0, 1]]);
    }
}
