using System.Globalization;
using Dashboard.Sandbox.Http;
using Dashboard.Sandbox.Market;
using Dashboard.Simulation.Harness;
using Dashboard.Simulation.Machines;
using Dashboard.Simulation.Provider;
using Dashboard.Simulation.Stories;

namespace Dashboard.Simulation.Provider
{
    /// <summary>Points in a machine's life at which a fault may set in.</summary>
    internal enum Moment
    {
        /// <summary>The provider has made the contract.</summary>
        Rented,

        /// <summary>Its container runs.</summary>
        Up,

        /// <summary>Our program was started on it.</summary>
        Started,

        /// <summary>We asked to destroy it.</summary>
        DestroyAsked,
    }
}

namespace Dashboard.Simulation.Faults
{
    /// <summary>What lies in wait in one world. The table's entries put it here; provider and machines ask.</summary>
    internal sealed class FaultBoard(World world)
    {
        private readonly List<Ambush> _calls = [];
        private readonly List<(Moment Moment, TimeSpan After, Action<string> Do)> _moments = [];
        private readonly Dictionary<int, DateTimeOffset> _hidden = [];
        private readonly HashSet<string> _lostFiles = [];
        private readonly List<(DateTimeOffset At, IReadOnlyList<(Contract Contract, WireRow Row)> Rows)> _past = [];

        public World World => world;

        /// <summary>What came home is not the result.</summary>
        public bool ResultsAreUseless { get; set; }

        /// <summary>The limit of every job's runtime; null leaves it to the schedule.</summary>
        public TimeSpan? RuntimeLimit { get; set; }

        /// <summary>Jobs are rented with a bid.</summary>
        public bool Bids { get; set; }

        /// <summary>What listings were is kept, for those that come late.</summary>
        public bool Remembers { get; set; }

        /// <summary>Until when the provider's answers were bent or its listing was blind, by the faults laid.</summary>
        public DateTimeOffset BlindUntil { get; private set; }

        /// <summary>Faults that struck at least once.</summary>
        public HashSet<string> Struck { get; } = [];

        public void Lay(IReadOnlyList<Fault> faults)
        {
            foreach (var fault in faults)
            {
                world.Story.Add(Teller.Fault, $"laid: {fault.Name} (row {fault.Row})");
                fault.Lay(this);
            }
        }

        /// <summary>Bends the next calls of a kind.</summary>
        public void Next(ProviderCall call, int times, Bend bend) => _calls.Add(new Ambush([call], bend, times, null));

        /// <summary>Bends every call of some kinds for a while from a moment in the life of the first machine on.</summary>
        public void For(Moment from, TimeSpan after, TimeSpan time, ProviderCall[] calls, Bend bend, bool blind = true) => When(from, after, _ => For(time, calls, bend, blind));

        /// <param name="blind">Nobody can know the account's machines meanwhile.</param>
        public void For(TimeSpan time, ProviderCall[] calls, Bend bend, bool blind = true)
        {
            var until = world.Now + time;
            BlindUntil = blind && until > BlindUntil ? until : BlindUntil;
            _calls.Add(new Ambush(calls, bend, int.MaxValue, until));
            world.Story.Add(Teller.Fault, $"{bend.Words}, for {time.TotalSeconds:0} s");
        }

        /// <summary>Does something to the first machine that comes to a moment.</summary>
        public void When(Moment moment, TimeSpan after, Action<string> strike) => _moments.Add((moment, after, strike));

        /// <summary>Lays one of the market's own faults on the first machine that comes to a moment.</summary>
        public void When(Moment moment, TimeSpan after, InstanceFault fault, TimeSpan? duration = null) => When(moment, after, contract =>
        {
            if (world.Market.Inflict(Number(contract), fault, duration, world.Now))
            {
                Strikes($"machine {contract}: {fault}{(duration is { } time ? $" for {time.TotalSeconds:0} s" : "")}", fault.ToString());
                world.Hosts.Obey();
            }
        });

        public void OnMachine(Moment moment, TimeSpan after, string words, Action<SimulatedHost> strike) => When(moment, after, contract =>
        {
            if (world.Hosts.Find(contract) is { } host)
            {
                Strikes($"machine {contract}: {words}", words);
                strike(host);
            }
        });

        /// <summary>The machine is missing from listings until then; it is seen by its id.</summary>
        public void Hide(string contract, TimeSpan time)
        {
            _hidden[Number(contract)] = world.Now + time;
            world.Story.Add(Teller.Fault, $"machine {contract} is missing from listings for {time.TotalSeconds:0} s");
        }

        public void LoseFilesOf(string contract) => _lostFiles.Add(contract);

        public bool LosesItsFiles(string contract) => _lostFiles.Contains(contract);

        public void Happens(Moment moment, string contract)
        {
            foreach (var ambush in _moments.Where(ambush => ambush.Moment == moment).ToList())
            {
                _moments.Remove(ambush);
                if (ambush.After == TimeSpan.Zero)
                {
                    ambush.Do(contract);
                }
                else
                {
                    world.Time.At(ambush.After, () => ambush.Do(contract));
                }
            }
        }

        /// <summary>How this call goes wrong; null when it does not.</summary>
        public Bend? Take(ProviderCall call)
        {
            _calls.RemoveAll(ambush => ambush.Until < world.Now);
            if (_calls.Find(ambush => ambush.Calls.Contains(call)) is not { } found)
            {
                return null;
            }

            if (--found.Times == 0)
            {
                _calls.Remove(found);
            }

            Struck.Add(found.Bend.Words);
            return found.Bend;
        }

        /// <summary>Another renter bids more for the machine than anybody here would; for a while, or for good.</summary>
        public void Outbid(string contract, TimeSpan? time)
        {
            if (world.Market.Find(Number(contract)) is not { } found)
            {
                return;
            }

            var machine = World.Park.Machines[found.MachineIndex];
            Strikes($"machine {contract}: somebody bids more{(time is { } brief ? $" for {brief.TotalSeconds:0} s" : "")}", "outbid");
            world.Market.Intervene(machine, before => before with { RivalBid = 1000m }, world.Now);
            world.AdvanceMarket();
            if (time is { } after)
            {
                world.Time.At(after, () =>
                {
                    world.Market.Intervene(machine, before => before with { RivalBid = 0m }, world.Now);
                    world.AdvanceMarket();
                });
            }
        }

        /// <summary>Keeps what a listing would be now.</summary>
        public void Remember()
        {
            if (Remembers && (_past.Count == 0 || _past[^1].At < world.Now))
            {
                _past.Add((world.Now, Rows(null, TimeSpan.Zero)));
            }
        }

        /// <summary>The rows of a listing as they are, or as they were so long ago.</summary>
        public IReadOnlyList<(Contract Contract, WireRow Row)> Rows(string? label, TimeSpan ago) => ago == TimeSpan.Zero
            ? [.. world.Market.Living.Where(contract => IsListed(contract, world.Now) && (label is null || contract.Label == label)).OrderBy(contract => contract.Id).Select(contract => (contract, InstanceRows.Of(world.Market, contract, world.Now)))]
            : [.. (_past.FindLast(past => past.At <= world.Now - ago).Rows ?? []).Where(row => label is null || row.Contract.Label == label)];

        public bool IsListed(Contract contract, DateTimeOffset now) =>
            now >= contract.CreatedAt + world.Market.Settings.ListLag && !(_hidden.TryGetValue(contract.Id, out var until) && now < until);

        /// <summary>From when on a listing has a machine.</summary>
        public DateTimeOffset ListedFrom(Contract contract)
        {
            var listed = contract.CreatedAt + world.Market.Settings.ListLag;
            var unhidden = _hidden.GetValueOrDefault(contract.Id, listed);
            return listed > unhidden ? listed : unhidden;
        }

        /// <summary>From when on whoever lists the account could know of a machine.</summary>
        public DateTimeOffset VisibleFrom(Contract contract)
        {
            var listed = ListedFrom(contract);
            return listed > BlindUntil ? listed : BlindUntil;
        }

        private void Strikes(string words, string name)
        {
            Struck.Add(name);
            world.Story.Add(Teller.Fault, words);
        }

        private static int Number(string contract) => int.Parse(contract, CultureInfo.InvariantCulture);

        private sealed class Ambush(ProviderCall[] calls, Bend bend, int times, DateTimeOffset? until)
        {
            public ProviderCall[] Calls => calls;

            public Bend Bend => bend;

            public int Times { get; set; } = times;

            public DateTimeOffset? Until => until;
        }
    }
}
