namespace Dashboard.Sandbox.Market;

/// <summary>The ids under which slices are listed: each listing has one of its own, and none is ever used again.</summary>
internal sealed class AskNumbers(MachinePark park, MarketState state)
{
    private const int FirstAskId = 30_000_000;
    private const int AskIdsPerGeneration = 4096;
    private const int SlicesPerMachine = 16;

    // Generations only grow, by the rivals' epoch and by our own rentals, so no listing repeats the id of an earlier one.
    public int Of(Machine machine, Slice slice, long epoch)
    {
        var number = SliceNumber(machine, slice);
        return checked(FirstAskId + (int)((epoch + state.Relistings.GetValueOrDefault(number)) * AskIdsPerGeneration) + number);
    }

    /// <summary>Whether an id stood for a listing that is over.</summary>
    /// <param name="epochOf">Where rivals are now on a machine, see <see cref="Demand.Epoch"/>.</param>
    public bool WasListed(int askId, Func<Machine, long> epochOf)
    {
        var number = (((askId - FirstAskId) % AskIdsPerGeneration) + AskIdsPerGeneration) % AskIdsPerGeneration;
        var (machineIndex, sliceIndex) = (number / SlicesPerMachine, number % SlicesPerMachine);
        if (machineIndex >= park.Machines.Count || sliceIndex >= park.Machines[machineIndex].Slices.Count)
        {
            return false;
        }

        var machine = park.Machines[machineIndex];
        return askId >= FirstAskId && askId < Of(machine, machine.Slices[sliceIndex], epochOf(machine));
    }

    /// <summary>Every listing that shares a GPU with the slice gets a new id.</summary>
    public void Relist(Machine machine, Slice slice)
    {
        foreach (var number in machine.Slices.Where(other => (other.Gpus & slice.Gpus) != 0).Select(other => SliceNumber(machine, other)))
        {
            state.Relistings[number] = state.Relistings.GetValueOrDefault(number) + 1;
        }
    }

    private static int SliceNumber(Machine machine, Slice slice) => (machine.Index * SlicesPerMachine) + slice.Index;
}
