using System.Globalization;
using System.Runtime.InteropServices;

namespace Dashboard.Sandbox.Containers;

/// <summary>A process that cannot be mistaken for a later one with the same id.</summary>
/// <param name="StartTime">Field 22 of <c>/proc/PID/stat</c>, in clock ticks since boot.</param>
internal readonly partial record struct LivingProcess(int Id, long StartTime)
{
    private const int HangUp = 1;
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

    /// <summary>Daemons take this as: read your configuration again.</summary>
    public void Reload()
    {
        if (IsAlive)
        {
            _ = SendSignal(Id, HangUp);
        }
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Id} {StartTime}");

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int pid, int signal);

    /// <summary>Its child whose command line contains a text, if there is one.</summary>
    public LivingProcess? ChildWith(string text)
    {
        foreach (var path in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(path), CultureInfo.InvariantCulture, out var id) && StatOf(id) is { } stat
                && stat[1] == Id.ToString(CultureInfo.InvariantCulture) && CommandLineOf(id).Contains(text, StringComparison.Ordinal))
            {
                return Find(id);
            }
        }

        return null;
    }

    private static string CommandLineOf(int id)
    {
        try
        {
            return File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{id}/cmdline"));
        }
        catch (IOException)
        {
            return ""; // gone, or going while we read
        }
    }

    private static long? StartTimeOf(int id) => StatOf(id) is { } fields ? long.Parse(fields[19], CultureInfo.InvariantCulture) : null;

    // From field 3 on, the state. The name, in brackets, may hold blanks and brackets itself: count from the last one. A zombie has ended.
    private static string[]? StatOf(int id)
    {
        try
        {
            var stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{id}/stat"));
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return fields[0] is "Z" or "X" ? null : fields;
        }
        catch (IOException)
        {
            return null; // gone, or going while we read
        }
    }
}
