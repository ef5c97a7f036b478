using System.Diagnostics;
using Dashboard.Simulation.Harness;

namespace Dashboard.Simulation;

public sealed class SmokeTests
{
    [Fact]
    public void One()
    {
        OnOwnThread(() =>
        {
            var c0 = Environment.CpuUsage.TotalTime;
            void P(string w) { Console.WriteLine($"{w} {(Environment.CpuUsage.TotalTime - c0).TotalMilliseconds}"); c0 = Environment.CpuUsage.TotalTime; }
            TemplateDatabase.CopyTo("/dev/shm/h2-x.db");
            P("template");
            using var world = new World(new Schedule("x", 1), tell: true);
            P("world");
            var outcome = world.Run();
            P("run");
            Console.WriteLine(outcome.Story);
            Console.WriteLine(outcome.Figures);
            Assert.Empty(outcome.Violations);
            var watch = Stopwatch.StartNew();
            for (var seed = 2; seed < 102; seed++)
            {
                using var next = new World(new Schedule("x", seed));
                var result = next.Run();
                if (seed % 20 == 0) { P("twenty runs"); }
                if (result.Violations.Count > 0)
                {
                    Console.WriteLine($"{seed} {result.Violations[0]}");
                }
            }

            Console.WriteLine($"{watch.ElapsedMilliseconds / 100.0} ms each");
        });
    }

    private static void OnOwnThread(Action act)
    {
        Exception? fault = null;
        var thread = new Thread(() =>
        {
            try
            {
                act();
            }
            catch (Exception error)
            {
                fault = error;
            }
        });
        thread.Start();
        thread.Join();
        if (fault is not null)
        {
            throw new InvalidOperationException(fault.Message, fault);
        }
    }
}
