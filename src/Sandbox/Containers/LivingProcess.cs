using System.Globalization;
using System.Runtime.InteropServices;

namespace Dashboard.Sandbox.Containers;

/// <summary>A process that cannot be mistaken for a later one with the same id.</summary>
/// <param name="StartTime">Field 22 of <c>/proc/PID/stat</c>, in clock ticks since boot.</param>
internal readonly partial record struct LivingProcess(int Id, long StartTime)
{
    private const int Kill = 9;

    public bool IsAlive => StartTimeOf(Id) == StartTime;

    public static LivingProcess? Find(int id) => StartTimeOf(id) is { } start ? new LivingProcess(id, start) : null;

    public static bool TryParse(string text, out LivingProcess process)
    {
        var parts = text.Trim().Split(' ');
        process = default;
        if (parts.Length != 2 || !int.TryParse(parts[0], CultureInfo.InvariantCulture, out var id) || !long.TryParse(parts[1], CultureInfo.InvariantCulture, out var start))
        {
            return false;
        }

        process = new LivingProcess(id, start);
        return true;
    }

    /// <summary>Killing the first process of a container ends all of it.</summary>
    public void End()
    {
        if (IsAlive)
        {
            _ = SendSignal(Id, Kill);
        }
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Id} {StartTime}");

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int pid, int signal);

    // The name, in brackets, may hold blanks and brackets itself: count from the last one. A zombie has ended.
    private static long? StartTimeOf(int id)
    {
        try
        {
            var stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{id}/stat"));
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return fields[0] is "Z" or "X" ? null : long.Parse(fields[19], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return null; // gone, or going while we read
        }
    }
}
